//! Rules, ready to search with: the prefilter over all of their keywords, and their patterns, compiled when one is first wanted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use lazaret::exposure::Severity;
use regex::bytes::{Regex, RegexBuilder};

use super::encoded::Encoded;
use super::escaped;
use super::form::Check;
use super::glance::{Glance, Set};
use super::names;
use super::paired;
use super::prefilter::{Prefilter, is_at};
use crate::malware;

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
    pub(super) pattern: Cow<'static, str>,
    pub(super) compiled: OnceLock<Option<Regex>>,
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
    /// What the prefilter looks for, by its numbers.
    pub(super) keywords: Vec<Keyword>,
}

/// Something that the prefilter looks for.
pub(super) enum Keyword {
    /// One of these rules, which want to be asked where it stands.
    Of(Vec<u8>, Vec<u32>),
    /// A keyword in base64.
    Encoded(Encoded),
    /// What something may be hidden by.
    Escape(&'static [u8]),
    /// What introduces a value.
    Value(&'static [u8]),
    /// A word by which malware is looked for.
    Malware(&'static [u8]),
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
        RULES.get_or_init(|| Self::of(Self::fixed()))
    }

    /// The built-in ones with their keywords.
    pub(super) fn fixed() -> impl Iterator<Item = (Rule, Vec<String>)> {
        BUILT_IN.iter().map(|fixed| {
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
            (rule, fixed.keywords.iter().map(|&keyword| keyword.to_owned()).collect())
        })
    }

    /// The texts that the prefilter looks for, by their numbers.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<Vec<u8>> {
        self.keywords.iter().map(|keyword| keyword.text().to_vec()).collect()
    }

    /// Whether a word by which malware is looked for stands in `text`.
    pub(crate) fn see_malware(&self, text: &[u8]) -> bool {
        let mut seen = false;
        self.prefilter.scan(text, |number, at| {
            seen |= matches!(self.keywords.get(number as usize), Some(Keyword::Malware(word)) if is_at(word, text, at));
        });
        seen
    }

    /// Rules with their keywords.
    pub(super) fn of(rules: impl Iterator<Item = (Rule, Vec<String>)>) -> Self {
        let (mut all, mut keywords) = (Vec::new(), Vec::new());
        let mut wanting: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for (number, (rule, of_rule)) in (0..).zip(rules) {
            for keyword in of_rule {
                let rules = wanting.entry(keyword.to_ascii_lowercase().into_bytes()).or_default();
                if rules.last() != Some(&number) {
                    rules.push(number);
                }
                keywords.extend(Encoded::all(&rule, number, keyword.as_bytes()).map(Keyword::Encoded));
            }
            all.push(rule);
        }
        keywords.extend(wanting.into_iter().map(|(text, rules)| Keyword::Of(text, rules)));
        keywords.extend(escaped::KEYWORDS.map(Keyword::Escape));
        keywords.extend(paired::KEYWORDS.map(Keyword::Value));
        keywords.extend(malware::words().iter().map(|word| Keyword::Malware(word)));
        let texts: Vec<&[u8]> = keywords.iter().map(Keyword::text).collect();
        let prefilter = Prefilter::new(&texts);
        Self { rules: all, prefilter, keywords }
    }
}

impl Keyword {
    fn text(&self) -> &[u8] {
        match self {
            Self::Of(text, _) => text,
            Self::Encoded(encoded) => encoded.text(),
            Self::Escape(text) | Self::Value(text) | Self::Malware(text) => text,
        }
    }
}

/// The title of a vendor's secret: with the vendor's name, once.
pub(super) fn titled(vendor: &str, title: &str) -> Cow<'static, str> {
    let first = vendor.split(' ').next().unwrap_or_default();
    match title.to_ascii_lowercase().contains(&first.to_ascii_lowercase()) {
        true => title.to_owned().into(),
        false => format!("{vendor}: {title}").into(),
    }
}

#[cfg(test)]
mod tests;
