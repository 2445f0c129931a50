//! The form of a file of secret rules: one vendor's, in TOML, read by the build.

use regex_syntax::hir::Hir;
use regex_syntax::hir::literal::Extractor;
use serde::Deserialize;

use super::form::{Check, MAX_REACH};

/// A file of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    /// Whose secrets they find, as the vendor writes itself.
    pub(crate) vendor: String,
    /// They go by the names of settings alone, whatever the value looks like, and have a switch of their own.
    #[serde(default)]
    pub(crate) generic: bool,
    /// The rules.
    pub(crate) rules: Vec<RuleText>,
}

/// A rule as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    /// Unique; kebab-case.
    pub(crate) id: String,
    /// What it finds.
    pub(crate) title: String,
    /// How bad it is to have it in an image.
    pub(crate) severity: Severity,
    /// Every match has one of them, in any case; at least four bytes each.
    pub(crate) keywords: Vec<String>,
    /// A regular expression over bytes, without Unicode; the group `secret` is the value, else the whole match.
    pub(crate) pattern: String,
    /// What the value has to satisfy too.
    #[serde(default)]
    pub(crate) check: Option<Check>,
    /// Bits of Shannon entropy for each character of the value, at least.
    #[serde(default)]
    pub(crate) entropy: Option<f32>,
    /// It goes by what stands around a value; a rule that knows the value's own form is believed before it.
    #[serde(default)]
    pub(crate) loose: bool,
    /// Where its owner revokes it.
    pub(crate) rotate: String,
    /// Templates of texts in which it is found.
    #[serde(default)]
    pub(crate) examples: Vec<String>,
    /// Templates of texts in which it is not.
    #[serde(default)]
    pub(crate) counter_examples: Vec<String>,
}

/// How bad a leaked secret is, in the words of `lazaret::exposure::Severity`, which the build comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// Public by design, or of use with another secret only.
    Low,
    /// Limited, or read only.
    Medium,
    /// The usual key of an interface.
    High,
    /// Full or write access, payment, a cloud's root.
    Critical,
}

/// The pattern of a rule that was read and has these keywords, or what is wrong with the rule.
pub(crate) fn check(rule: &RuleText, keywords: &[String]) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let hir = parser.parse(&rule.pattern).map_err(|error| format!("its pattern does not compile: {error}"))?;
    let kebab = |id: &str| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if rule.id.is_empty() || rule.id.len() > 64 || !kebab(&rule.id) {
        return Err("an id has up to 64 lower-case letters, digits and hyphens".into());
    }
    if keywords.is_empty() || keywords.iter().any(|keyword| keyword.len() < 4 || keyword.len() > 64) {
        return Err("it needs keywords, each of 4 to 64 bytes".into());
    }
    if rule.title.len() > 128 || rule.rotate.len() > 256 {
        return Err("a title has up to 128 bytes, and where to revoke up to 256".into());
    }
    match hir.properties().maximum_len() {
        Some(0) | None => Err("a match has at least one byte, and a most: write `{1,200}` for `+` or `*`".into()),
        Some(most) if most > MAX_REACH => Err(format!("a match may have {most} bytes, more than {MAX_REACH}")),
        Some(_) if hir.properties().minimum_len() == Some(0) => Err("it matches nothing at all".into()),
        Some(_) => Ok(hir),
    }
}

/// Whether every match begins with one of the keywords, so that it can be looked for at that place only.
pub(crate) fn leads(hir: &Hir, keywords: &[String]) -> bool {
    let prefixes = Extractor::new().extract(hir);
    let begins = |prefix: &[u8]| {
        keywords.iter().any(|keyword| {
            prefix.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword.as_bytes()))
        })
    };
    prefixes.literals().is_some_and(|all| !all.is_empty() && all.iter().all(|prefix| begins(prefix.as_bytes())))
}
