//! How bad a finding is: a level, where it comes from, and the score where there is one.
//!
//! For packages of a distribution its own word stands first (it knows how it builds and ships the package), for language
//! packages the CVSS score does. Among vectors v4 beats v3 beats v2, then the higher score.

mod cvss;

use std::fmt;

pub use cvss::{CvssVersion, Score};

use lazaret::exposure;

use crate::advisory::record;

/// How bad, in five steps; the derived order is from harmless to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nobody has said.
    #[default]
    Unknown,
    /// A score of 0; Ubuntu's `negligible`; Debian's `unimportant`.
    Negligible,
    /// Below 4.0.
    Low,
    /// From 4.0; Red Hat's and GitHub's `moderate`.
    Medium,
    /// From 7.0; Red Hat's `important`.
    High,
    /// From 9.0, which CVSS v2 does not have.
    Critical,
}

impl From<exposure::Severity> for Level {
    fn from(severity: exposure::Severity) -> Self {
        match severity {
            exposure::Severity::Low => Self::Low,
            exposure::Severity::Medium => Self::Medium,
            exposure::Severity::High => Self::High,
            exposure::Severity::Critical => Self::Critical,
        }
    }
}

impl Level {
    /// Every level, worst first.
    pub const ALL: [Self; 6] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Negligible, Self::Unknown];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Negligible => "negligible",
            Self::Unknown => "unknown",
        }
    }

    /// The level that a source's own word stands for; `None` where it stands for none.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "minor" => Self::Low,
            "negligible" | "unimportant" | "none" => Self::Negligible,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The severity of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severity {
    /// How bad.
    pub level: Level,
    /// The CVSS base score, where there is a vector.
    pub score: Option<Score>,
    /// The vector that the score was computed from.
    pub vector: Option<String>,
    /// The id of the record that says so; `None` where the level is unknown.
    pub from: Option<String>,
}

/// One opinion on how bad it is, with the id of the record that holds it.
pub(super) struct Opinion<'a> {
    pub(super) record: &'a str,
    pub(super) severity: &'a record::Severity<'a>,
}

/// The severity on which `opinions` (in order of their records' ids) agree best; for a distribution's package
/// (`vendor_first`) its word counts before the score.
pub(super) fn weigh(opinions: &[Opinion<'_>], vendor_first: bool) -> Severity {
    let worded = opinions.iter().filter_map(|opinion| {
        let level = Level::of_word(opinion.severity.word.as_deref()?)?;
        Some(Severity { level, from: Some(opinion.record.to_owned()), ..Severity::default() })
    });
    // The first of equals, so that the smallest id is named.
    let worded = worded.reduce(|best, other| if other.level > best.level { other } else { best });
    let scored = opinions.iter().flat_map(|opinion| {
        opinion.severity.vectors.iter().filter_map(|vector| Some((cvss::score(vector)?, vector, opinion.record)))
    });
    let scored = scored.reduce(|best, other| if other.0 > best.0 { other } else { best });
    let scored = scored.map(|((version, score), vector, record)| Severity {
        level: score.level(version),
        score: Some(score),
        vector: Some(vector.to_string()),
        from: Some(record.to_owned()),
    });
    let (first, second) = if vendor_first { (worded, scored) } else { (scored, worded) };
    first.or(second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(vectors: &[&'static str], word: Option<&'static str>) -> record::Severity<'static> {
        record::Severity { vectors: vectors.iter().map(|&vector| vector.into()).collect(), word: word.map(Into::into) }
    }

    #[test]
    fn words_first_for_distributions_scores_first_elsewhere() {
        let severity = said(&["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"], Some("low"));
        let opinions = [Opinion { record: "X-1", severity: &severity }];
        assert_eq!(weigh(&opinions, true).level, Level::Low);
        let scored = weigh(&opinions, false);
        assert_eq!((scored.level, scored.score.unwrap().to_string().as_str()), (Level::Critical, "9.8"));
        assert_eq!(scored.from.as_deref(), Some("X-1"));
    }

    #[test]
    fn newer_vectors_win_and_nonsense_is_nothing() {
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N";
        let severity =
            said(&["AV:N/AC:L/Au:N/C:C/I:C/A:C", v4, "CVSS:3.1/AV:N", "CVSS:9/x", ""], Some("not yet assigned"));
        let opinions = [Opinion { record: "X-1", severity: &severity }];
        assert_eq!(weigh(&opinions, true).vector.as_deref(), Some(v4));
        assert_eq!(weigh(&[], true), Severity::default());
    }

    #[test]
    fn version_two_has_no_critical() {
        let severity = said(&["AV:N/AC:L/Au:N/C:C/I:C/A:C"], None);
        let rated = weigh(&[Opinion { record: "X", severity: &severity }], false);
        assert_eq!((rated.score.unwrap().tenths(), rated.level), (100, Level::High));
    }
}
