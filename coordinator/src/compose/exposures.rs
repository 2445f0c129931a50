//! What became of the exposures of each layer: the union over all of them, each with its state in the finished image.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use lazaret::exposure::Exposure;
use lazaret::files::Keys;
use lazaret::inventory::{HideKind, LayerInventory};
use lazaret::path::{LayerPath, split};

use super::relocation::Relocation;

/// An exposure, the layer that ships it, and whether it can still be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct LayerExposure {
    /// The index of the layer; none for the image's configuration or manifest.
    pub layer: Option<u32>,
    /// What became of it.
    pub state: Fate,
    /// What it is. The path is where it ended up.
    pub exposure: Exposure,
}

/// Whether the finished image shows a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Fate {
    /// As its layer left it.
    Present,
    /// The layer with this index takes it away.
    Deleted(u32),
    /// The layer with this index has another file there.
    Overwritten(u32),
    /// The layer with this index could not be read, so nobody knows.
    Unknown(u32),
}

/// The exposures of the layers composed so far.
#[derive(Default)]
pub(super) struct Exposed {
    all: Vec<LayerExposure>,
}

/// What a layer does to a path and to what is below it.
#[derive(Clone, Copy, Default)]
struct Change {
    /// The very path is gone.
    deletes: bool,
    /// A file or link is there now.
    writes: bool,
    /// What was below is gone.
    clears: bool,
}

impl Exposed {
    /// Applies the layer with this index, and takes in what it exposes itself.
    pub(super) fn apply(&mut self, index: u32, layer: &LayerInventory, relocation: &Relocation<'_>) {
        if self.all.iter().any(|exposed| exposed.state == Fate::Present) {
            let (changes, files) = (changes(layer, relocation), layer.files.keys());
            for exposed in self.all.iter_mut().filter(|exposed| exposed.state == Fate::Present) {
                exposed.state = fate(index, &outer(&exposed.exposure.path), &changes, &files, relocation);
            }
        }
        self.all.extend(layer.exposures.iter().map(|exposure| {
            let file = outer(&exposure.path);
            let path = match relocation.apply(&file) {
                Some(to) if *to != file => moved(&exposure.path, &file, &to),
                _ => exposure.path.clone(),
            };
            LayerExposure { layer: Some(index), state: Fate::Present, exposure: Exposure { path, ..exposure.clone() } }
        }));
    }

    /// A layer failed: what it does to those below nobody knows.
    pub(super) fn apply_unknown(&mut self, index: u32) {
        for exposed in self.all.iter_mut().filter(|exposed| exposed.state == Fate::Present) {
            exposed.state = Fate::Unknown(index);
        }
    }

    /// All of them, sorted.
    pub(super) fn finish(mut self) -> Vec<LayerExposure> {
        self.all.sort_unstable();
        self.all
    }
}

fn changes(layer: &LayerInventory, relocation: &Relocation<'_>) -> BTreeMap<Vec<u8>, Change> {
    let mut changes: BTreeMap<Vec<u8>, Change> = BTreeMap::new();
    let mut change = |path: &LayerPath, change: &dyn Fn(&mut Change)| {
        if let Some(path) = relocation.apply(path) {
            change(changes.entry(path.as_bytes().to_vec()).or_default());
        }
    };
    for hide in &layer.hides {
        change(&hide.path, &|now| match hide.kind {
            HideKind::Whiteout => (now.deletes, now.clears) = (true, true),
            HideKind::Opaque => now.clears = true,
            HideKind::Symlink(_) | HideKind::Shadow => (now.writes, now.clears) = (true, true),
            HideKind::Directory => now.deletes = true,
        });
    }
    let written = layer.evidence.iter().map(|found| &found.path);
    for path in written.chain(layer.executables.iter().map(|found| &found.path)) {
        change(path, &|now| (now.writes, now.clears) = (true, true));
    }
    changes
}

fn fate(
    index: u32,
    path: &LayerPath,
    changes: &BTreeMap<Vec<u8>, Change>,
    files: &Keys,
    relocation: &Relocation<'_>,
) -> Fate {
    // Files by their hashes only: where the layer wrote through a link of a lower one, they are asked by the path it wrote.
    let written = relocation.origins(path);
    let here = changes.get(path.as_bytes()).copied().unwrap_or_default();
    if here.writes || written.iter().any(|path| files.contains(path.as_bytes())) {
        return Fate::Overwritten(index);
    }
    let mut above = path.parent();
    loop {
        let is_cleared = changes.get(above).is_some_and(|change| change.clears);
        if is_cleared || !above.is_empty() && files.contains(above) {
            return Fate::Deleted(index);
        }
        if above.is_empty() {
            return if here.deletes { Fate::Deleted(index) } else { Fate::Present };
        }
        above = split(above).0;
    }
}

/// The file of the layer that a path is in: what comes before `!/`.
fn outer(path: &LayerPath) -> LayerPath {
    let bytes = path.as_bytes();
    let end = bytes.windows(2).position(|pair| pair == b"!/").unwrap_or(bytes.len());
    LayerPath::from_entry(bytes.get(..end).unwrap_or(bytes))
}

fn moved(path: &LayerPath, from: &LayerPath, to: &LayerPath) -> LayerPath {
    let inside = path.as_bytes().get(from.as_bytes().len()..).unwrap_or_default();
    LayerPath::from_entry(&[to.as_bytes(), inside].concat())
}

#[cfg(test)]
mod tests;
