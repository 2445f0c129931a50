//! What a layer's files expose, secrets and malware, whether they stay or are replaced by later entries: the blob ships all of them.

use std::collections::BTreeSet;
use std::io;

use lazaret::exposure::Exposure;
use lazaret::inventory::{Gap, GapKind};
use lazaret::path::LayerPath;

use crate::limits::Limits;
use crate::ruleset::Ruleset;
use crate::secrets::{File, Labels, Outcome};
use crate::tar::Entry;

/// The search through all files of a layer.
pub(super) struct Exposures<'l> {
    limits: &'l Limits,
    rules: Ruleset,
    labels: Labels,
    found: BTreeSet<Exposure>,
    /// What `found` takes in memory, about.
    bytes: usize,
    full: bool,
    gaps: BTreeSet<Gap>,
}

impl<'l> Exposures<'l> {
    pub(super) fn new(limits: &'l Limits, rules: Ruleset) -> Self {
        let (found, gaps) = (BTreeSet::new(), BTreeSet::new());
        Self { limits, rules, labels: Labels::default(), found, bytes: 0, full: false, gaps }
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
        self.tell(found);
        Ok(())
    }

    /// Searches what an entry says beside its data: its name, the target of a link, its extended attributes.
    ///
    /// # Errors
    /// As for [`Self::end`].
    pub(super) fn labels(&mut self, entry: &Entry, path: &LayerPath) -> io::Result<()> {
        let found = self.labels.of(self.rules.secrets, path, &entry.link);
        self.tell(found);
        if entry.attributes.is_empty() {
            return Ok(());
        }
        let mut file = self.begin(&path.inside("extended attributes"), entry.attributes.len() as u64, 0);
        file.feed(&entry.attributes);
        self.end(path, file)
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
