//! CVSS base scores: vectors of version 2, 3.0, 3.1 and 4.0 (<https://www.first.org/cvss/>).

use std::fmt;

use super::Level;

/// A base score, 0.0 to 10.0, in exact tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u8);

/// The CVSS version of a vector; later ones are believed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CvssVersion {
    /// 2.0, whose vectors name no version.
    V2,
    /// 3.0 and 3.1.
    V3,
    /// 4.0.
    V4,
}

impl Score {
    /// The score times ten, 0 to 100.
    pub const fn tenths(self) -> u8 {
        self.0
    }

    /// The score as a number.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// The qualitative rating; version 2 by NVD's bands, which end at high.
    pub(super) fn level(self, version: CvssVersion) -> Level {
        match self.0 {
            90.. if version != CvssVersion::V2 => Level::Critical,
            70.. => Level::High,
            40.. => Level::Medium,
            1.. => Level::Low,
            0 => Level::Negligible,
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// A vector longer than this is none.
const VECTOR_BYTES: usize = 512;

/// The version and base score of `vector`; `None` where it is malformed or lacks a mandatory metric (the parser would
/// take `CVSS:3.1/AV:N` for a score of 0).
pub(super) fn score(vector: &str) -> Option<(CvssVersion, Score)> {
    let (version, mandatory): (_, &[&str]) = if vector.starts_with("CVSS:4.") {
        (CvssVersion::V4, &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"])
    } else if vector.starts_with("CVSS:3.") {
        (CvssVersion::V3, &["AV", "AC", "PR", "UI", "S", "C", "I", "A"])
    } else {
        (CvssVersion::V2, &["AV", "AC", "Au", "C", "I", "A"])
    };
    let named =
        |metric: &&str| vector.split('/').any(|part| part.split_once(':').is_some_and(|(name, _)| name == *metric));
    if vector.len() > VECTOR_BYTES || !mandatory.iter().all(named) {
        return None;
    }
    let score = vector.parse::<::cvss::Cvss>().ok()?.score();
    (0.0..=10.0).contains(&score).then(|| (version, Score((score * 10.0).round() as u8)))
}
