//! The advisories of a scan: opened when the first image needs them, and fetched first where they are missing.

use std::path::PathBuf;

use lazaret::digest::hex;
use lazaret::image::Image;
use lazaret::package::Package;

use super::super::fetching::{self, Fetching};
use super::super::{Failure, settings};
use crate::advisory::Snapshot;
use crate::advisory::update::Home;
use crate::compose::Contents;
use crate::matching::{self, Matches};
use crate::pipeline::Inventoried;
use crate::policy::Policy;
use crate::report::build::{self, Context, Scanner};
use crate::report::{Report, SnapshotSummary};

/// Where the snapshot is, and the snapshot once it is open.
pub(super) struct Advisories {
    place: Option<PathBuf>,
    /// Where missing ones are fetched from; nowhere, if not given.
    from: Option<String>,
    wanted: bool,
    open: Option<(Snapshot, SnapshotSummary)>,
}

impl Advisories {
    pub(super) fn new(place: Option<PathBuf>, from: Option<String>, wanted: bool) -> Self {
        Self { place, from, wanted, open: None }
    }

    /// The report on one image.
    pub(super) fn report(
        &mut self,
        reference: &str,
        image: &Image,
        inventoried: &Inventoried,
        scanners: &[Scanner],
        policy: &Policy,
    ) -> Report {
        let contents = &inventoried.inventory.contents;
        let matches = if self.wanted && !contents.packages.is_empty() {
            self.find(contents).map(Some).map_err(|failure| failure.to_string())
        } else {
            Ok(None)
        };
        let snapshot =
            self.open.as_ref().filter(|_| matches!(matches, Ok(Some(_)))).map(|(_, summary)| summary.clone());
        build::build(image, inventoried, Context { reference, scanners, policy, snapshot, matches })
    }

    fn find(&mut self, contents: &Contents) -> Result<Matches, Failure> {
        // What an OS package brought along is the distribution's to judge.
        let (indices, packages): (Vec<usize>, Vec<&Package>) = contents
            .packages
            .iter()
            .enumerate()
            .filter(|(_, installed)| !build::is_owned(installed))
            .map(|(index, installed)| (index, &installed.package))
            .unzip();
        let snapshot = self.snapshot(&packages, contents)?;
        let mut matches = matching::find(&packages, contents.distro.as_ref(), snapshot).map_err(Failure::new)?;
        for finding in &mut matches.findings {
            finding.package = indices.get(finding.package).copied().unwrap_or(usize::MAX);
        }
        for undecided in &mut matches.undecided {
            undecided.package = indices.get(undecided.package).copied().unwrap_or(usize::MAX);
        }
        Ok(matches)
    }

    fn snapshot(&mut self, packages: &[&Package], contents: &Contents) -> Result<&Snapshot, Failure> {
        let home = settings::advisory_home(self.place.as_deref())?;
        if let Some(from) = &self.from
            && fetch_missing(&home, from, packages, contents)?
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(open(&home)?);
        }
        let open = self.open.as_ref().map(|(snapshot, _)| snapshot);
        open.ok_or_else(|| Failure::new("there is no advisory snapshot"))
    }
}

/// Fetches the ecosystems that the image needs and that nobody fetched before; whether there is a new snapshot now. An
/// imported snapshot is what somebody chose, and is left alone.
fn fetch_missing(home: &Home, from: &str, packages: &[&Package], contents: &Contents) -> Result<bool, Failure> {
    let state = home.state().map_err(Failure::new)?;
    let there = home.current().map_err(Failure::new)?.is_some();
    if there && (!state.imported.is_empty() || state.feeds.is_empty()) {
        return Ok(false);
    }
    let needed = matching::coverage::archives(packages, contents.distro.as_ref());
    let missing: Vec<String> = needed.into_iter().filter(|name| !there || !state.feeds.contains_key(name)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    let fetched = fetching::update(home, from, &missing, &Fetching::start());
    match fetched {
        Ok(_) => Ok(true),
        // What was fetched before may still do; what is missing then shows as a gap.
        Err(_) if there => Ok(false),
        Err(failure) => Err(Failure::new(format_args!(
            "there is no advisory snapshot, and none could be fetched: {failure}; run `lazaret advisories update`, or \
                 `lazaret advisories import PATH` with advisories that you have"
        ))),
    }
}

fn open(home: &Home) -> Result<(Snapshot, SnapshotSummary), Failure> {
    let Some(path) = home.current().map_err(Failure::new)? else {
        return Err(Failure::new(
            "there is no advisory snapshot: run `lazaret advisories update`, or `lazaret advisories import PATH`",
        ));
    };
    let snapshot = Snapshot::open(&path).map_err(Failure::new)?;
    let state = home.state().map_err(Failure::new)?;
    // As old as its oldest part.
    let oldest = state.feeds.values().filter(|_| state.imported.is_empty()).map(|feed| &feed.fetched).min();
    let date = oldest.cloned().or(Some(state.compiled)).filter(|date| !date.is_empty());
    let digest = hex(&snapshot.digest());
    Ok((snapshot, SnapshotSummary { digest, date }))
}
