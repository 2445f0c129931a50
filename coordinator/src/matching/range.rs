//! Whether a version is affected: the evaluation algorithm of the OSV schema.
//!
//! Source: <https://ossf.github.io/osv-schema/#evaluation>. Events at one version count in the order in which the record
//! has them, so that `introduced: 2, fixed: 2` is empty and `fixed: 2, introduced: 2` goes on.

use std::cmp::Ordering;

use crate::advisory::record::{Affected, EventKind, Range};
use crate::version::{Scheme, Version};

/// What an advisory says about one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is affected.
    Affected,
    /// It is not.
    NotAffected,
    /// It cannot be told, because a version does not follow its scheme; with the reason, for people.
    Undecided(String),
}

/// A version that is installed, read once for any number of advisories.
#[derive(Debug)]
pub struct Installed<'a> {
    text: &'a str,
    parsed: Result<Version<'a>, String>,
    scheme: Scheme,
}

impl<'a> Installed<'a> {
    /// Reads `text` by the rules of `scheme`.
    pub fn new(scheme: Scheme, text: &'a str) -> Self {
        Self { text, parsed: Version::parse(scheme, text).map_err(|error| error.to_string()), scheme }
    }

    /// What `affected` says about this version.
    pub fn judge(&self, affected: &Affected<'_>) -> Verdict {
        if affected.versions.iter().any(|version| self.is(version)) {
            return Verdict::Affected;
        }
        let mut undecided = None;
        for range in &affected.ranges {
            match self.is_in(range) {
                Ok(true) => return Verdict::Affected,
                Ok(false) => {}
                Err(reason) => undecided = undecided.or(Some(reason)),
            }
        }
        undecided.map_or(Verdict::NotAffected, Verdict::Undecided)
    }

    /// How `fix` stands to this version; `None` where either does not follow the scheme.
    pub fn compare(&self, fix: &str) -> Option<Ordering> {
        let installed = self.parsed.as_ref().ok()?;
        Version::parse(self.scheme, fix).ok()?.compare(installed).ok()
    }

    /// Distributions enumerate exact texts; elsewhere `1.0` and `1.0.0` may be one version.
    fn is(&self, version: &str) -> bool {
        let written_freely = matches!(self.scheme, Scheme::Pep440 | Scheme::Npm | Scheme::Semver | Scheme::Cran);
        version == self.text || written_freely && self.compare(version) == Some(Ordering::Equal)
    }

    fn is_in(&self, range: &Range<'_>) -> Result<bool, String> {
        if let [event] = range.events.as_slice()
            && event.kind == EventKind::Introduced
            && event.version == "0"
        {
            // Every version there is, even one that nobody can read.
            return Ok(true);
        }
        let installed = self.parsed.as_ref().map_err(Clone::clone)?;
        let mut events = Vec::with_capacity(range.events.len());
        let mut limited = false;
        let mut below_a_limit = false;
        for event in &range.events {
            let position = position(installed, self.scheme, &event.version)?;
            if event.kind == EventKind::Limit {
                limited = true;
                below_a_limit |= position.order == Ordering::Less;
            } else {
                events.push((position, event.kind));
            }
        }
        if limited && !below_a_limit {
            return Ok(false);
        }
        events.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut affected = false;
        for (position, kind) in events {
            match (kind, position.order) {
                (EventKind::Introduced, Ordering::Equal | Ordering::Greater) => affected = true,
                (EventKind::Fixed, Ordering::Equal | Ordering::Greater) => affected = false,
                (EventKind::LastAffected, Ordering::Greater) => affected = false,
                _ => {}
            }
        }
        Ok(affected)
    }
}

/// Where an event stands.
struct Position<'a> {
    /// How the installed version stands to it.
    order: Ordering,
    /// Its version; `None` is below all.
    version: Option<Version<'a>>,
}

impl Position<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.version, &other.version) {
            (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}

fn position<'a>(installed: &Version<'_>, scheme: Scheme, version: &'a str) -> Result<Position<'a>, String> {
    if version == "0" {
        return Ok(Position { order: Ordering::Greater, version: None });
    }
    let version = Version::parse(scheme, version).map_err(|error| format!("in an advisory: {error}"))?;
    let order = installed.compare(&version).map_err(|error| error.to_string())?;
    Ok(Position { order, version: Some(version) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::record::Event;

    fn range(events: &str) -> Range<'_> {
        let event = |text: &'static str, kind| move |word: &str| (word == text).then_some(kind);
        let kinds = [
            event("introduced", EventKind::Introduced),
            event("fixed", EventKind::Fixed),
            event("last", EventKind::LastAffected),
            event("limit", EventKind::Limit),
        ];
        let mut list = Vec::new();
        for pair in events.split(", ") {
            let (word, version) = pair.split_once(' ').unwrap();
            let kind = kinds.iter().find_map(|kind| kind(word)).unwrap();
            list.push(Event { kind, version: version.into() });
        }
        Range { events: list }
    }

    fn judged(scheme: Scheme, version: &str, ranges: &[&str]) -> Verdict {
        let ranges = ranges.iter().map(|events| range(events)).collect();
        Installed::new(scheme, version).judge(&Affected { ranges, ..Affected::default() })
    }

    #[test]
    fn follows_the_evaluation_algorithm() {
        for (version, ranges, affected) in [
            ("1.0", &["introduced 0, fixed 2.0"][..], true),
            ("2.0", &["introduced 0, fixed 2.0"], false),
            ("2.0", &["introduced 0, last 2.0"], true),
            ("2.0.1", &["introduced 0, last 2.0"], false),
            ("1.5", &["fixed 3.0, introduced 2.0, fixed 1.0, introduced 0"], false),
            ("2.5", &["fixed 3.0, introduced 2.0, fixed 1.0, introduced 0"], true),
            ("3.5", &["introduced 0, fixed 3.0, introduced 3.4"], true),
            ("1.0", &["introduced 2.0", "introduced 0, fixed 1.1"], true),
            ("2.5", &["introduced 0, limit 2.0"], false),
            ("1.5", &["introduced 0, limit 2.0"], true),
            ("2.5", &["introduced 0, limit 2.0, limit 3.0"], true),
            ("2.0", &["introduced 2.0, fixed 2.0"], false),
            ("2.0", &["introduced 1.0, fixed 2.0, introduced 2.0, fixed 3.0"], true),
            ("1.0", &["introduced 0, fixed 0"], false),
            ("1.0", &["introduced 0"], true),
            ("1.0", &[], false),
        ] {
            let expected = if affected { Verdict::Affected } else { Verdict::NotAffected };
            for scheme in [Scheme::Deb, Scheme::Rpm, Scheme::Pep440] {
                assert_eq!(judged(scheme, version, ranges), expected, "{scheme} {version} {ranges:?}");
            }
        }
    }

    #[test]
    fn below_zero_is_still_affected_from_zero_on() {
        assert_eq!(judged(Scheme::Deb, "0~beta1", &["introduced 0, fixed 1"]), Verdict::Affected);
        assert_eq!(judged(Scheme::Semver, "0.0.0-alpha", &["introduced 0, fixed 1.0.0"]), Verdict::Affected);
    }

    #[test]
    fn what_cannot_be_read_is_undecided() {
        assert!(matches!(judged(Scheme::Pep440, "not a version", &["introduced 0, fixed 1"]), Verdict::Undecided(_)));
        assert!(matches!(judged(Scheme::Pep440, "1.0", &["introduced 0, fixed ???"]), Verdict::Undecided(_)));
        assert_eq!(judged(Scheme::Pep440, "not a version", &["introduced 0"]), Verdict::Affected);
        assert_eq!(judged(Scheme::Pep440, "1.0", &["introduced ???", "introduced 0, fixed 2"]), Verdict::Affected);
    }

    #[test]
    fn listed_versions_are_exact_for_distributions_only() {
        let affected = Affected { versions: vec!["1.0".into()], ..Affected::default() };
        let judge = |scheme, version| Installed::new(scheme, version).judge(&affected);
        assert_eq!(judge(Scheme::Pep440, "1.0.0"), Verdict::Affected);
        assert_eq!(judge(Scheme::Deb, "1.0"), Verdict::Affected);
        assert_eq!(judge(Scheme::Deb, "0:1.0"), Verdict::NotAffected);
    }
}
