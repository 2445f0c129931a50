//! The image as far as the layers composed so far make it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use lazaret::inventory::{Evidence, Facts, Gap};
use lazaret::path::{LayerPath, keys_below};

use super::executables::Standing;
use super::exposures::Exposed;
use super::links::Links;
use super::presence::Presence;
use super::{LayerGap, databases};

/// Evidence that stands, links that stand, and since when each package is there.
#[derive(Default)]
pub(super) struct State<'a> {
    pub(super) slots: BTreeMap<LayerPath, Slot<'a>>,
    pub(super) executables: Standing<'a>,
    pub(super) links: Links,
    pub(super) presence: Presence,
    pub(super) gaps: BTreeSet<LayerGap>,
    pub(super) has_os: bool,
    pub(super) exposed: Exposed,
}

/// The evidence at one path.
pub(super) struct Slot<'a> {
    pub(super) layer: u32,
    pub(super) extractor: &'a str,
    pub(super) facts: Held<'a>,
}

/// Facts of a layer, or a copy of another layer's under another path. A copy is rare, so it is the one in a box: there are
/// as many slots as files with packages.
pub(super) enum Held<'a> {
    Borrowed(&'a Facts),
    Owned(Box<Facts>),
}

impl Deref for Held<'_> {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        match self {
            Self::Borrowed(facts) => facts,
            Self::Owned(facts) => facts,
        }
    }
}

impl<'a> State<'a> {
    /// Whether there is nothing that a layer could hide.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.links.is_empty() && self.executables.is_empty()
    }

    pub(super) fn gap(&mut self, layer: Option<u32>, gap: Gap) {
        self.gaps.insert(LayerGap { layer, gap });
    }

    pub(super) fn insert(&mut self, layer: u32, path: LayerPath, evidence: &'a Evidence) {
        self.put(path, Slot { layer, extractor: &evidence.extractor, facts: Held::Borrowed(&evidence.facts) });
    }

    pub(super) fn insert_owned(&mut self, layer: u32, path: LayerPath, evidence: &'a Evidence, facts: Facts) {
        self.put(path, Slot { layer, extractor: &evidence.extractor, facts: Held::Owned(Box::new(facts)) });
    }

    fn put(&mut self, path: LayerPath, slot: Slot<'a>) {
        // A symbolic link that is evidence stands as a link too; it was put there just before, and stays.
        if slot.facts.link.is_none() {
            self.links.map_mut().remove(&path);
        }
        // A directory entry deep down is not remembered; that files are below it tells that there is no link any more.
        self.links.remove_above(&path);
        if !databases::reads_directories(slot.extractor) {
            self.remove_below(&path);
        }
        self.executables.remove_at(&path);
        self.presence.add(slot.layer, &slot.facts);
        if let Some(old) = self.slots.insert(path, slot) {
            self.presence.remove(&old.facts);
        }
    }

    /// The path and everything below it is gone.
    pub(super) fn remove(&mut self, path: &LayerPath) {
        self.remove_at(path);
        self.remove_below(path);
    }

    pub(super) fn remove_at(&mut self, path: &LayerPath) {
        self.links.map_mut().remove(path);
        self.executables.remove_at(path);
        if let Some(slot) = self.slots.remove(path) {
            self.presence.remove(&slot.facts);
        }
    }

    pub(super) fn remove_below(&mut self, directory: &LayerPath) {
        self.executables.remove_below(directory);
        for path in keys_below(self.links.map_mut(), directory) {
            self.links.map_mut().remove(&path);
        }
        for path in keys_below(&self.slots, directory) {
            if let Some(slot) = self.slots.remove(&path) {
                self.presence.remove(&slot.facts);
            }
        }
    }

    pub(super) fn end_layer(&mut self) {
        self.presence.end_layer();
    }
}
