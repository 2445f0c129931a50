//! What a layer's files expose, secrets and malware, whether they stay or are replaced by later entries: the blob ships all of them.

use std::collections::BTreeSet;
use std::io;

use lazaret::exposure::Exposure;
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::limits::Limits;
use crate::ruleset::Ruleset;
use crate::secrets::{File, Outcome};

/// The search through all files of a layer.
pub(super) struct Exposures<'l> {
    limits: &'l Limits,
    rules: Ruleset,
    found: BTreeSet<Exposure>,
    /// What `found` takes in memory, about.
    bytes: usize,
    full: bool,
    gaps: BTreeSet<Gap>,
}

impl<'l> Exposures<'l> {
    pub(super) fn new(limits: &'l Limits, rules: Ruleset) -> Self {
        Self { limits, rules, found: BTreeSet::new(), bytes: 0, full: false, gaps: BTreeSet::new() }
    }

    /// Begins a file.
    pub(super) fn begin(&self, path: &LayerPath, size: u64, mode: u32) -> File {
        File::begin(self.rules.secrets, self.rules.malware, path, size, mode)
    }

    /// Ends it.
    ///
    /// # Errors
    /// A user's rules took too long. That depends on the machine, so that it can be nothing that the layer's inventory says.
    pub(super) fn end(&mut self, path: &LayerPath, file: File) -> io::Result<()> {
        let Outcome { found, cut, limited, malware } = file.finish();
        if malware.too_slow {
            let reason = format!("the YARA rules took too long for {path}: make them cheaper, or leave them out");
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        let limits = [
            (cut, "more that looks like secrets than is told of one file"),
            (limited, "an archive in it is nested deeper, or larger, than is searched"),
            (malware.crowded, "more that looks like malware than is looked at in one file"),
            (malware.in_pieces, "too large for the YARA rules at once: they saw it in pieces"),
        ];
        for (_, reason) in limits.into_iter().filter(|(is_reached, _)| *is_reached) {
            if self.gaps.len() < 1000 {
                self.gaps.insert(Gap { kind: GapKind::Limit, path: path.clone(), reason: reason.into() });
            }
        }
        for exposure in found {
            let bytes = exposure.weight();
            if self.bytes.saturating_add(bytes) > self.limits.exposure_bytes {
                self.full = true;
                return Ok(());
            }
            self.bytes += bytes;
            self.found.insert(exposure);
        }
        Ok(())
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
