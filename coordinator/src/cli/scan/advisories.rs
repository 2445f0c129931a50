//! The advisories of a scan: opened when the first image needs them, and fetched first where they are missing.

use std::path::PathBuf;

use lazaret::image::Image;
use lazaret::package::Package;

use super::super::fetching::{self, Fetching};
use super::super::{Failure, settings};
use crate::advisory::Snapshot;
use crate::advisory::update::Home;
use crate::assess;
use crate::compose::Contents;
use crate::matching;
use crate::pipeline::Inventoried;
use crate::policy::Policy;
use crate::report::build::Scanner;
use crate::report::{Report, SnapshotSummary};

/// Where the snapshot is, and the snapshot once it is open.
pub(super) struct Advisories {
    place: Option<PathBuf>,
    /// Where missing ones are fetched from; nowhere, if not given.
    from: Option<String>,
    open: Option<(Snapshot, SnapshotSummary)>,
}

impl Advisories {
    pub(super) fn new(place: Option<PathBuf>, from: Option<String>) -> Self {
        Self { place, from, open: None }
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
        assess::report(reference, image, inventoried, scanners, policy, |contents| {
            self.snapshot(contents, policy).map_err(|failure| failure.to_string())
        })
    }

    fn snapshot(&mut self, contents: &Contents, policy: &Policy) -> Result<(&Snapshot, &SnapshotSummary), Failure> {
        let home = settings::advisory_home(self.place.as_deref())?;
        if let Some(from) = &self.from
            && fetch_missing(&home, from, &assess::judged(contents, policy).1, contents)?
        {
            self.open = None;
        }
        if self.open.is_none() {
            self.open = Some(home.open().map_err(Failure::new)?);
        }
        let open = self.open.as_ref().map(|(snapshot, summary)| (snapshot, summary));
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
