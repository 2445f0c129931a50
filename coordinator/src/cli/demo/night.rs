//! What is left of the first night.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use lazaret::door::source::registry::Registry;

use super::figures::First;
use super::oracle::Known;
use crate::matching::Level;
use crate::plan::Planner;
use crate::report::Report;

/// A fleet, judged, and what the second night needs.
pub(super) struct Night {
    pub(super) figures: First,
    /// By their numbers.
    pub(super) images: Vec<Judged>,
    /// The worst image's.
    pub(super) report: Option<Report>,
    /// How many images each advisory concerns: by package and the name of the finding.
    pub(super) concerns: HashMap<(String, String), Concern>,
    /// What asks the registry, and what has the inventories.
    pub(super) registry: Registry,
    pub(super) planner: Arc<Planner>,
}

/// An image, judged.
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) known: BTreeSet<Known>,
    pub(super) critical: u32,
    pub(super) high: u32,
    pub(super) medium: u32,
    /// Findings with a fix.
    pub(super) fixable: u32,
}

/// A vulnerability of a package, wherever it is.
pub(super) struct Concern {
    pub(super) level: Level,
    pub(super) images: u32,
    /// The version that fixes it, in the image that was looked at last.
    pub(super) fixed: Option<String>,
}

impl Night {
    /// Adds an image.
    pub(super) fn judged(&mut self, name: &str, known: BTreeSet<Known>, report: Report) {
        let count = |level| report.findings.iter().filter(|row| row.severity.level == level).count() as u32;
        let judged = Judged {
            name: name.to_owned(),
            critical: count(Level::Critical),
            high: count(Level::High),
            medium: count(Level::Medium),
            fixable: report.findings.iter().filter(|row| row.fixed.is_some()).count() as u32,
            known,
        };
        self.figures.packages += report.packages.len() as u64;
        self.figures.findings += judged.known.len() as u64;
        // In one image a package may be there at two versions.
        let mut seen = HashSet::new();
        for row in &report.findings {
            let key = (row.name.clone(), row.id.clone());
            if seen.insert(key.clone()) {
                let new = || Concern { level: row.severity.level, images: 0, fixed: None };
                let concern = self.concerns.entry(key).or_insert_with(new);
                concern.images += 1;
                concern.fixed.clone_from(&row.fixed);
            }
        }
        if self.images.iter().all(|other| other.badness() < judged.badness()) {
            self.report = Some(report);
        }
        self.images.push(judged);
    }
}

impl Judged {
    /// More is worse.
    pub(super) fn badness(&self) -> (u32, u32, u32, usize) {
        (self.critical, self.high, self.medium, self.known.len())
    }
}
