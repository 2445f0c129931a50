//! What a layer's files expose, whether they stay or are replaced by later entries: the blob ships all of them.

use std::collections::BTreeSet;

use lazaret::exposure::Exposure;
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::limits::Limits;
use crate::secrets::{Rules, Stream, is_settings};

/// The search through all files of a layer.
pub(super) struct Exposures<'l> {
    limits: &'l Limits,
    stream: Stream,
    found: BTreeSet<Exposure>,
    /// What `found` takes in memory, about.
    bytes: usize,
    full: bool,
    gaps: BTreeSet<Gap>,
}

impl<'l> Exposures<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        let stream = Stream::new(Rules::built_in());
        Self { limits, stream, found: BTreeSet::new(), bytes: 0, full: false, gaps: BTreeSet::new() }
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, path: &LayerPath, size: u64) -> &mut Stream {
        self.stream.begin(path, size, is_settings(path.as_bytes()));
        &mut self.stream
    }

    /// Ends it.
    pub(super) fn end(&mut self, path: &LayerPath) {
        let (found, cut) = self.stream.finish();
        if cut && self.gaps.len() < 1000 {
            let reason = "more that looks like secrets than is told of one file".into();
            self.gaps.insert(Gap { kind: GapKind::Limit, path: path.clone(), reason });
        }
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
