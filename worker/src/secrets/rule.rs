//! Rules, ready to search with: the prefilter over all of their keywords, and their patterns, compiled when one is first wanted.

use std::borrow::Cow;
use std::sync::OnceLock;

use lazaret::exposure::Severity;
use regex::bytes::{Regex, RegexBuilder};

use super::form::Check;
use super::glance::{Glance, Set};
use super::names;
use super::prefilter::Prefilter;

include!(concat!(env!("OUT_DIR"), "/secret_rules.rs"));

/// A built-in rule, as the build checked and laid it out.
pub(super) struct Fixed {
    id: &'static str,
    vendor: &'static str,
    title: &'static str,
    severity: Severity,
    keywords: &'static [&'static str],
    pattern: &'static str,
    check: Option<Check>,
    entropy: f32,
    rotate: &'static str,
    loose: bool,
    generic: bool,
    reach: usize,
    leads: bool,
    starts: &'static [u16],
    run: (u16, usize),
}

/// How one kind of secret is found.
pub(crate) struct Rule {
    /// Unique; kebab-case.
    pub(crate) id: Cow<'static, str>,
    /// What it finds, with the vendor's name.
    pub(crate) title: Cow<'static, str>,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// Where its owner revokes it.
    pub(crate) rotate: Cow<'static, str>,
    /// What the value has to satisfy.
    pub(super) check: Option<Check>,
    /// Bits for each byte of the value, at least.
    pub(super) entropy: f32,
    /// One that knows the value's own form is believed before it.
    pub(super) loose: bool,
    /// It goes by the name of a setting alone.
    pub(super) generic: bool,
    /// The most bytes of a match.
    pub(super) reach: usize,
    /// A match begins with its keyword.
    pub(super) leads: bool,
    /// What each match looks like.
    pub(super) glance: Glance,
    pattern: Cow<'static, str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Rule {
    /// The pattern. None if it does not compile, of which the build and whoever reads a user's rules make sure.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.pattern).ok()).as_ref()
    }
}

/// Compiles a pattern: over bytes, and bounded in memory.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    const MAX_BYTES: usize = 8 << 20;
    RegexBuilder::new(pattern).unicode(false).size_limit(MAX_BYTES).dfa_size_limit(MAX_BYTES).build()
}

/// All rules that are searched with.
pub(crate) struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) prefilter: Prefilter,
    /// By the keywords' numbers: which rules want to be asked.
    pub(super) wanting: Vec<Vec<u32>>,
}

/// A hash of the built-in rules and of `version`.
pub(super) fn fingerprint(version: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("lazaret 2026 secret rules");
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(version);
    for rule in BUILT_IN {
        let Fixed { id, vendor, title, severity, keywords, pattern, check, entropy, rotate, loose, generic, .. } = rule;
        [*id, *vendor, *title, *pattern, *rotate].into_iter().for_each(&mut text);
        keywords.iter().copied().for_each(&mut text);
        text(&format!("{severity:?} {check:?} {entropy} {loose} {generic}"));
    }
    names::describe(text);
    hasher.finalize().to_hex().to_string()
}

impl Rules {
    /// The built-in ones, made when first wanted.
    pub(crate) fn built_in() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(|| {
            let rules = BUILT_IN.iter().map(|fixed| {
                let rule = Rule {
                    id: fixed.id.into(),
                    title: titled(fixed.vendor, fixed.title),
                    severity: fixed.severity,
                    rotate: fixed.rotate.into(),
                    check: fixed.check,
                    entropy: fixed.entropy,
                    loose: fixed.loose,
                    generic: fixed.generic,
                    reach: fixed.reach,
                    leads: fixed.leads,
                    glance: Glance { sets: SETS, starts: fixed.starts, run: fixed.run },
                    pattern: fixed.pattern.into(),
                    compiled: OnceLock::new(),
                };
                (rule, fixed.keywords)
            });
            Self::of(rules)
        })
    }

    fn of<'k>(rules: impl Iterator<Item = (Rule, &'k [&'k str])>) -> Self {
        let mut all = Vec::new();
        let mut keywords: Vec<Vec<u8>> = Vec::new();
        let mut wanting: Vec<Vec<u32>> = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        for (number, (rule, of_rule)) in (0..).zip(rules) {
            for keyword in of_rule {
                let keyword = keyword.to_ascii_lowercase().into_bytes();
                let at = *numbers.entry(keyword.clone()).or_insert_with(|| {
                    keywords.push(keyword);
                    wanting.push(Vec::new());
                    wanting.len() - 1
                });
                if wanting[at].last() != Some(&number) {
                    wanting[at].push(number);
                }
            }
            all.push(rule);
        }
        let keywords: Vec<&[u8]> = keywords.iter().map(Vec::as_slice).collect();
        Self { rules: all, prefilter: Prefilter::new(&keywords), wanting }
    }
}

/// The title of a vendor's secret: with the vendor's name, once.
fn titled(vendor: &'static str, title: &'static str) -> Cow<'static, str> {
    let first = vendor.split(' ').next().unwrap_or_default();
    match title.to_ascii_lowercase().contains(&first.to_ascii_lowercase()) {
        true => title.into(),
        false => format!("{vendor}: {title}").into(),
    }
}

#[cfg(test)]
mod tests;
