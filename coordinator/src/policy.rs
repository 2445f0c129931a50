//! What a user chose not to see: thresholds and ignores. Suppresses with a reason, never deletes.

use lazaret::exposure::{Exposure, IdentityKey};
use serde::Deserialize;

use crate::local;

use crate::matching::severity::Level;
use crate::report::{FindingRow, SuppressedRow};

mod allow;

pub use allow::Allow;
use allow::AllowText;

/// What is shown and what is suppressed.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Only findings of these levels are shown; all, if empty.
    pub levels: Vec<Level>,
    /// Only findings with a fix are shown, and malicious packages, which need none.
    pub only_fixed: bool,
    /// Packages that are declared, not installed, are looked up too.
    pub include_declared: bool,
    /// Findings that somebody accepted, and why.
    pub ignores: Vec<Ignore>,
    /// Exposures that somebody accepted, and why.
    pub allows: Vec<Allow>,
    /// Secrets that are told by the name of a setting alone are dismissed.
    pub no_generic_secrets: bool,
    /// What the identities of exposures are keyed with.
    pub key: Option<IdentityKey>,
}

/// What an ignore file says.
#[derive(Clone, Debug, Default)]
pub struct Ignores {
    /// Of findings.
    pub findings: Vec<Ignore>,
    /// Of exposures.
    pub exposures: Vec<Allow>,
}

/// One entry of an ignore file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Any name of the vulnerability.
    pub id: String,
    /// The package it is ignored in, by name or package URL; in every package, if absent.
    pub package: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`; for ever, if absent.
    pub expires: Option<String>,
}

/// Why an ignore file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or not of this form.
    #[error(
        "malformed ignore file: {0}\n  each entry is written: [[ignore]] id = \"CVE-…\", reason = \"…\", and if wanted package = \"…\", expires = \"YYYY-MM-DD\"; or [[allow]] with rule, path or value instead of id"
    )]
    Malformed(String),
    /// An entry without a reason.
    #[error("the entry for {0} gives no reason; write reason = \"…\"")]
    Reason(String),
    /// An entry that allows what cannot be told.
    #[error("the entry [[allow]] {0}: {1}")]
    Allow(String, String),
    /// A date that is none.
    #[error("the entry for {0} expires on `{1}`, which is no date; write YYYY-MM-DD")]
    Date(String, String),
    /// Entries that no longer hold.
    #[error("{} no longer hold{}: {}; renew or remove {}", plural(.0.len(), "an entry", "entries"), if .0.len() == 1 { "s" } else { "" }, .0.join(", "), plural(.0.len(), "it", "them"))]
    Expired(Vec<String>),
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// Reads an ignore file, of which everything must still hold on the day `today` (`YYYY-MM-DD`).
///
/// # Errors
/// [`PolicyError`]; an expired entry is one, so that nobody goes on ignoring what he meant to look at again.
pub fn read_ignores(text: &str, today: &str) -> Result<Ignores, PolicyError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        ignore: Vec<Ignore>,
        #[serde(default)]
        allow: Vec<AllowText>,
    }
    let file: File =
        toml::from_str(text).map_err(|error| PolicyError::Malformed(error.to_string().trim_end().to_owned()))?;
    let mut expired = Vec::new();
    let ignores = file.ignore.iter().map(|ignore| (ignore.id.clone(), &ignore.reason, &ignore.expires));
    let allows = file.allow.iter().map(|allow| (allow.name(), &allow.reason, &allow.expires));
    for (name, reason, expires) in ignores.chain(allows) {
        if reason.trim().is_empty() {
            return Err(PolicyError::Reason(name));
        }
        let Some(expires) = expires else { continue };
        if !is_date(expires) {
            return Err(PolicyError::Date(name, expires.clone()));
        }
        // Dates of this form sort as text.
        if expires.as_str() < today {
            expired.push(format!("{name} (expired on {expires})"));
        }
    }
    if !expired.is_empty() {
        return Err(PolicyError::Expired(expired));
    }
    let exposures = file.allow.into_iter().map(Allow::new).collect::<Result<_, _>>()?;
    Ok(Ignores { findings: file.ignore, exposures })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, length: usize, range: std::ops::RangeInclusive<u32>| {
        part.len() == length
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse().is_ok_and(|n| range.contains(&n))
    };
    matches!(parts.as_slice(), [year, month, day] if number(year, 4, 1970..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31))
}

impl Policy {
    /// Findings to show, and those that are suppressed.
    pub fn apply(&self, rows: Vec<FindingRow>) -> (Vec<FindingRow>, Vec<SuppressedRow>) {
        let mut findings = Vec::with_capacity(rows.len());
        let mut suppressed = Vec::new();
        for row in rows {
            if !self.levels.is_empty() && !self.levels.contains(&row.severity.level)
                || self.only_fixed && row.fixed.is_none() && !row.malicious
            {
                continue;
            }
            match self.ignores.iter().find(|ignore| ignore.covers(&row)) {
                Some(ignore) => suppressed.push(SuppressedRow {
                    finding: row,
                    reason: ignore.reason.clone(),
                    expires: ignore.expires.clone(),
                }),
                None => findings.push(row),
            }
        }
        (findings, suppressed)
    }

    /// Whether exposures of this severity are shown.
    pub fn shows(&self, exposure: &Exposure) -> bool {
        self.levels.is_empty() || self.levels.contains(&Level::from(exposure.severity))
    }

    /// Why an exposure is none to worry about, if it is not.
    pub fn dismisses(&self, exposure: &Exposure) -> Option<String> {
        if let Some(known) = &exposure.dismissed {
            return Some(known.clone());
        }
        if self.no_generic_secrets && local::is_generic(&exposure.rule) {
            return Some("told by the name of a setting alone, which --no-generic-secrets leaves out".into());
        }
        let allowed = self.allows.iter().find_map(|allow| allow.reason(exposure, self.key.as_ref()));
        allowed.map(|reason| format!("allowed: {reason}"))
    }
}

impl Ignore {
    fn covers(&self, row: &FindingRow) -> bool {
        let package = |wanted: &String| {
            *wanted == row.name || *wanted == row.package || row.package.split(['@', '?']).next() == Some(wanted)
        };
        (self.id == row.id || row.ids.contains(&self.id)) && self.package.as_ref().is_none_or(package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_must_say_why_and_still_hold() {
        let read = |text: &str| read_ignores(text, "2026-11-23");
        let ignores =
            read("[[ignore]]\nid = \"CVE-1\"\nreason = \"not reachable\"\nexpires = \"2026-11-23\"\n").unwrap();
        assert_eq!(ignores.findings.len(), 1);
        assert!(matches!(read("[[ignore]]\nid = \"CVE-1\"\nreason = \" \"\n"), Err(PolicyError::Reason(_))));
        assert!(matches!(read("[[ignore]]\nid = \"CVE-1\"\n"), Err(PolicyError::Malformed(_))));
        assert!(matches!(read("ignore = 1"), Err(PolicyError::Malformed(_))));
        assert!(matches!(read("[[ignore]]\nid='a'\nreason='b'\nexpires='soon'\n"), Err(PolicyError::Date(..))));
        let error = read("[[ignore]]\nid='CVE-1'\nreason='b'\nexpires='2026-11-22'\n").unwrap_err();
        assert_eq!(error.to_string(), "an entry no longer holds: CVE-1 (expired on 2026-11-22); renew or remove it");
    }
}
