//! The advisories of a scan: opened once, when the first image needs them.

use std::path::PathBuf;

use lazaret::image::Image;

use super::super::{Failure, settings};
use crate::advisory::Snapshot;
use crate::compose::Contents;
use crate::matching::{self, Matches};
use crate::pipeline::Inventoried;
use crate::policy::Policy;
use crate::report::build::{self, Context, Scanner};
use crate::report::{Report, SnapshotSummary};

/// Where the snapshot is, and the snapshot once it is open.
pub(super) struct Advisories {
    place: Option<PathBuf>,
    offline: bool,
    wanted: bool,
    snapshot: Option<(Snapshot, SnapshotSummary)>,
}

impl Advisories {
    pub(super) fn new(place: &Option<PathBuf>, offline: bool, wanted: bool) -> Self {
        Self { place: place.clone().or_else(settings::advisories), offline, wanted, snapshot: None }
    }

    /// The report on one image.
    pub(super) fn report(
        &mut self,
        reference: &str,
        image: &Image,
        inventoried: &Inventoried,
        scanners: &[Scanner],
        policy: &Policy,
    ) -> Result<Report, Failure> {
        let contents = &inventoried.inventory.contents;
        let matches = if self.wanted && !contents.packages.is_empty() { self.find(contents) } else { Ok(None) };
        let snapshot = self.snapshot.as_ref().map(|(_, summary)| summary.clone());
        Ok(build::build(image, inventoried, Context { reference, scanners, policy, snapshot, matches }))
    }

    fn find(&mut self, contents: &Contents) -> Result<Option<Matches>, String> {
        let (snapshot, _) = self.open(contents)?;
        // What an OS package brought along is the distribution's to judge.
        let candidates: Vec<usize> =
            (0..contents.packages.len()).filter(|&index| !build::is_owned(&contents.packages[index])).collect();
        let packages: Vec<_> = candidates.iter().map(|&index| &contents.packages[index].package).collect();
        let mut matches =
            matching::find(&packages, contents.distro.as_ref(), snapshot).map_err(|error| error.to_string())?;
        for finding in &mut matches.findings {
            finding.package = candidates[finding.package];
        }
        for undecided in &mut matches.undecided {
            undecided.package = candidates[undecided.package];
        }
        Ok(Some(matches))
    }

    fn open(&mut self, _contents: &Contents) -> Result<&(Snapshot, SnapshotSummary), String> {
        if self.snapshot.is_none() {
            let place = self
                .place
                .clone()
                .ok_or("there is no home directory to keep advisories in; write --advisories FILE")?;
            let snapshot = Snapshot::open(&place).map_err(|error| error.to_string())?;
            let digest = lazaret::digest::hex(&snapshot.digest());
            self.snapshot = Some((snapshot, SnapshotSummary { digest, date: None }));
        }
        let _ = self.offline;
        self.snapshot.as_ref().ok_or_else(|| "no snapshot".to_owned())
    }
}
