//! What a layer's files expose, whether they stay or are replaced by later entries: the blob ships all of them.

use std::collections::BTreeSet;

use lazaret::exposure::Exposure;
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::limits::Limits;
use crate::secrets::{File, Labels, Outcome, Rules};
use crate::tar::Entry;

/// The search through all files of a layer.
pub(super) struct Exposures<'l> {
    limits: &'l Limits,
    rules: &'static Rules,
    labels: Labels,
    found: BTreeSet<Exposure>,
    /// What `found` takes in memory, about.
    bytes: usize,
    full: bool,
    gaps: BTreeSet<Gap>,
}

impl<'l> Exposures<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        let rules = Rules::built_in();
        let (found, gaps) = (BTreeSet::new(), BTreeSet::new());
        Self { limits, rules, labels: Labels::default(), found, bytes: 0, full: false, gaps }
    }

    /// Begins a file.
    pub(super) fn begin(&self, path: &LayerPath, size: u64) -> File {
        File::begin(self.rules, path, size)
    }

    /// Ends it.
    pub(super) fn end(&mut self, path: &LayerPath, file: File) {
        let Outcome { found, cut, limited } = file.finish();
        let limits = [
            (cut, "more that looks like secrets than is told of one file"),
            (limited, "an archive in it is nested deeper, or larger, than is searched for secrets"),
        ];
        for (_, reason) in limits.into_iter().filter(|(is_reached, _)| *is_reached) {
            if self.gaps.len() < 1000 {
                self.gaps.insert(Gap { kind: GapKind::Limit, path: path.clone(), reason: reason.into() });
            }
        }
        self.tell(found);
    }

    /// Searches what an entry says beside its data: its name, the target of a link, its extended attributes.
    pub(super) fn labels(&mut self, entry: &Entry, path: &LayerPath) {
        let found = self.labels.of(path, &entry.link);
        self.tell(found);
        if !entry.attributes.is_empty() {
            let mut file = self.begin(&path.inside("extended attributes"), entry.attributes.len() as u64);
            file.feed(&entry.attributes);
            self.end(path, file);
        }
    }

    /// Remembers what was found.
    fn tell(&mut self, found: Vec<Exposure>) {
        for exposure in found {
            let bytes = exposure.weight();
            if self.bytes.saturating_add(bytes) > self.limits.exposure_bytes {
                self.full = true;
                return;
            }
            self.bytes += bytes;
            self.found.insert(exposure);
        }
    }

    /// What was found, and what could not be told.
    pub(super) fn finish(mut self) -> (Vec<Exposure>, BTreeSet<Gap>) {
        if self.full {
            let reason = format!("exposures take more than {} bytes; the rest is not told", self.limits.exposure_bytes);
            self.gaps.insert(Gap { kind: GapKind::Limit, path: LayerPath::root(), reason });
        }
        (self.found.into_iter().collect(), self.gaps)
    }
}
