//! Layer inventories composed into an image inventory: a fold from the bottom, equal to extracting the flattened image.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use bincode::{Decode, Encode};
use lazaret::distro::OsRelease;
use lazaret::inventory::{Evidence, Facts, Gap, GapKind, HideKind, LayerInventory, Link, Recognised};
use lazaret::package::Package;
use lazaret::path::{LayerPath, split};

mod databases;
mod links;
mod presence;
mod rows;
mod state;
#[cfg(test)]
mod tests;

use links::Links;
use state::State;

/// Raised with every change of what composition yields; stored image inventories of another version are not used.
pub const VERSION: u32 = 1;

/// What an image contains, whatever is known about it today.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Contents {
    /// The distribution, where an os-release file names it.
    pub distro: Option<OsRelease>,
    /// Whether any layer has an os-release file or the database of an OS package manager, even a hidden one.
    pub has_os: bool,
    /// Installed packages, sorted; each once, however many files tell of it.
    pub packages: Vec<InstalledPackage>,
    /// What was recognised but is not read yet: the form and how many files of it, sorted.
    pub recognised: Vec<(Recognised, u32)>,
    /// What could not be told, sorted.
    pub gaps: Vec<LayerGap>,
}

/// A package with where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct InstalledPackage {
    /// What was installed.
    pub package: Package,
    /// The index of the introducing layer: the lowest from which the package is continuously present up to the top.
    pub layer: u32,
    /// The files that tell of it, sorted.
    pub evidence: Vec<LayerPath>,
    /// The name of the OS package that owns every one of these files, if one does.
    pub owner: Option<String>,
}

/// A gap, and the layer that it is in; none where it is about the whole image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct LayerGap {
    /// The index of the layer.
    pub layer: Option<u32>,
    /// What is missing.
    pub gap: Gap,
}

/// Composes the layers of an image, from the bottom up; `None` stands for a layer that failed.
///
/// What a layer hides of those below it follows the OCI image specification (layer.md, "Applying Changesets"); where an
/// entry goes through a symbolic link that a lower layer left, it is followed inside the root, as containerd does.
pub fn compose<'a>(layers: impl IntoIterator<Item = Option<&'a LayerInventory>>) -> Contents {
    let mut state = State::default();
    for (index, layer) in layers.into_iter().enumerate() {
        if let Some(layer) = layer {
            apply(&mut state, index as u32, layer);
        }
    }
    rows::finish(state)
}

fn apply<'a>(state: &mut State<'a>, index: u32, layer: &'a LayerInventory) {
    for gap in &layer.gaps {
        state.gap(Some(index), gap.clone());
    }
    let relocation = Relocation::new(state, index, layer);
    // A hard link names a file as the layers below left it, so it is resolved before this layer hides anything.
    let linked: Vec<(usize, Option<Facts>)> = layer
        .evidence
        .iter()
        .enumerate()
        .filter_map(|(i, evidence)| match &evidence.facts.link {
            Some(Link::Hard(target)) => Some((i, hard_linked(state, evidence, target))),
            _ => None,
        })
        .collect();
    for hide in &layer.hides {
        let Some(path) = relocation.apply(&hide.path) else { continue };
        match hide.kind {
            HideKind::Whiteout => state.remove(&path),
            HideKind::Opaque => state.remove_below(&path),
            _ => {}
        }
    }
    for hide in &layer.hides {
        let Some(path) = relocation.apply(&hide.path) else { continue };
        match &hide.kind {
            HideKind::Symlink(target) => {
                state.remove(&path);
                state.links.insert(path.into_owned(), target.clone());
            }
            HideKind::Shadow => state.remove(&path),
            HideKind::Directory => state.remove_at(&path),
            HideKind::Whiteout | HideKind::Opaque => {}
        }
    }
    let mut linked = linked.into_iter().peekable();
    for (i, evidence) in layer.evidence.iter().enumerate() {
        let Some(path) = relocation.apply(&evidence.path) else { continue };
        let path = path.into_owned();
        state.has_os |= databases::is_database(&evidence.path) || evidence.facts.os_release.is_some();
        match linked.next_if(|&(linked, _)| linked == i) {
            Some((_, Some(facts))) => state.insert_owned(index, path, evidence, facts),
            Some((_, None)) if databases::reads_any_file(&evidence.extractor) => state.remove(&path),
            Some((_, None)) => {
                let reason = "a hard link to a file whose bytes were not kept".into();
                let gap = Gap { kind: GapKind::UnresolvedLink, path: path.clone(), reason };
                state.insert_owned(index, path, evidence, Facts { gaps: vec![gap], ..Facts::default() });
            }
            None => state.insert(index, path, evidence),
        }
    }
    state.end_layer();
}

fn hard_linked(state: &State<'_>, evidence: &Evidence, target: &LayerPath) -> Option<Facts> {
    let target = state.links.resolve_parent(target)?;
    let slot = state.slots.get(&target).filter(|slot| slot.extractor == evidence.extractor)?;
    let mut facts = slot.facts.deref().clone();
    for gap in facts.gaps.iter_mut().filter(|gap| gap.path == target) {
        gap.path = evidence.path.clone();
    }
    Some(facts)
}

/// Where the paths of one layer end up: below a symbolic link of a lower layer they go where the link leads, unless this
/// layer has put a directory in its place.
struct Relocation<'s> {
    moved: HashMap<&'s [u8], Option<LayerPath>>,
}

impl<'s> Relocation<'s> {
    fn new(state: &mut State<'_>, index: u32, layer: &'s LayerInventory) -> Self {
        let mut relocation = Self { moved: HashMap::new() };
        for directory in &layer.implied_directories {
            let now = match relocation.outer(directory) {
                Some((_, None)) => continue,
                Some((from, Some(to))) => Links::rebase(directory, from, to),
                None => directory.clone(),
            };
            if !state.links.contains(&now) {
                continue;
            }
            let resolved = state.links.resolve(&now);
            let reason = match &resolved {
                None => Some("written through symbolic links that lead in a circle"),
                Some(to) if databases::is_directory(to) && !databases::is_directory(directory) => Some(
                    "files were written into a package database's directory through a symbolic link of a lower layer",
                ),
                Some(_) => None,
            };
            if let Some(reason) = reason {
                let gap = Gap { kind: GapKind::Ambiguous, path: directory.clone(), reason: reason.into() };
                state.gap(Some(index), gap);
            }
            relocation.moved.insert(directory.as_bytes(), resolved);
        }
        relocation
    }

    /// The innermost directory above `path` that is moved, and where to.
    fn outer(&self, path: &LayerPath) -> Option<(&'s [u8], Option<&LayerPath>)> {
        if self.moved.is_empty() {
            return None;
        }
        let mut directory = path.parent();
        while !directory.is_empty() {
            if let Some((from, to)) = self.moved.get_key_value(directory) {
                return Some((from, to.as_ref()));
            }
            directory = split(directory).0;
        }
        None
    }

    /// Where `path` ends up; nowhere if the links above it lead in a circle.
    fn apply<'p>(&self, path: &'p LayerPath) -> Option<Cow<'p, LayerPath>> {
        match self.outer(path) {
            Some((from, to)) => to.map(|to| Cow::Owned(Links::rebase(path, from, to))),
            None => Some(Cow::Borrowed(path)),
        }
    }
}
