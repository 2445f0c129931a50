//! Layer inventories composed into an image inventory: a fold from the bottom, equal to extracting the flattened image.

use std::ops::Deref;

use bincode::{Decode, Encode};
use lazaret::distro::OsRelease;
use lazaret::inventory::{Evidence, Facts, Gap, GapKind, Hide, HideKind, LayerInventory, Link, Recognised, list_owner};
use lazaret::package::Package;
use lazaret::path::LayerPath;

mod assemblies;
mod databases;
pub mod executables;
pub mod exposures;
mod links;
mod notes;
mod perl;
mod places;
mod presence;
mod relocation;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod trees;

pub use executables::Executables;
pub use exposures::{Fate, LayerExposure};
use relocation::Relocation;
use state::State;

/// Raised with every change of what composition yields; stored image inventories of another version are not used.
pub const VERSION: u32 = 6;

/// What an image contains, whatever is known about it today.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Contents {
    /// The distribution, where an os-release file names it.
    pub distro: Option<OsRelease>,
    /// Whether any layer has an os-release file or the database of an OS package manager, even a hidden one.
    pub has_os: bool,
    /// Installed packages, sorted; each once, however many files tell of it.
    pub packages: Vec<InstalledPackage>,
    /// Packages that a file declares, such as a lockfile, sorted. One of them may be installed too.
    pub declared: Vec<InstalledPackage>,
    /// Programs and shared objects, and which of them no package accounts for.
    pub executables: Executables,
    /// What the layers expose, each with what became of it, sorted.
    pub exposures: Vec<LayerExposure>,
    /// What was recognised but is not read yet: the form and how many files of it, sorted.
    pub recognised: Vec<(Recognised, u32)>,
    /// What could not be told, sorted.
    pub gaps: Vec<LayerGap>,
}

impl Contents {
    /// A package by its number: installed ones come first, then the declared.
    pub fn package(&self, number: usize) -> Option<&InstalledPackage> {
        self.packages.get(number).or_else(|| self.declared.get(number.checked_sub(self.packages.len())?))
    }
}

/// A package with where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct InstalledPackage {
    /// What was installed.
    pub package: Package,
    /// The index of the introducing layer: the lowest from which the package is continuously present up to the top.
    pub layer: u32,
    /// The files that tell of it, sorted; what is nested in an archive is written `ARCHIVE!/PATH`.
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
        match layer {
            Some(layer) => apply(&mut state, index as u32, layer),
            None => state.exposed.apply_unknown(index as u32),
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
    let linked: Vec<(usize, Linked)> = layer
        .evidence
        .iter()
        .enumerate()
        .filter_map(|(i, evidence)| match &evidence.facts.link {
            Some(Link::Hard(target)) => Some((i, Linked::new(state, evidence, target))),
            _ => None,
        })
        .collect();
    if let Some(path) = relocation.collision(layer) {
        let reason = "one layer writes a file under two names, one of them through a symbolic link of a lower layer";
        state.gap(Some(index), Gap { kind: GapKind::Ambiguous, path, reason: reason.into() });
    }
    match state.is_empty() && layer.two_kinds.is_none() {
        // Nothing to hide, and no path twice: a third of what composing costs, for the layer with the most entries.
        true => state.links.begin(layer.hides.iter().filter_map(|hide| match &hide.kind {
            HideKind::Symlink(target) => Some((hide.path.clone(), target.clone())),
            _ => None,
        })),
        false => hide(state, &relocation, &layer.hides),
    }
    let replaced = executables::replaced(state, layer, &relocation);
    let mut linked = linked.into_iter().peekable();
    for (i, evidence) in layer.evidence.iter().enumerate() {
        let Some(path) = relocation.apply(&evidence.path) else { continue };
        let path = path.into_owned();
        if path != evidence.path
            && evidence.facts != Facts::default()
            && !places::claims_alike(&evidence.extractor, &evidence.path, &path)
        {
            let reason = "written through a symbolic link of a lower layer, to where it would not be looked for".into();
            state.gap(Some(index), Gap { kind: GapKind::Ambiguous, path: evidence.path.clone(), reason });
        }
        state.has_os |= databases::is_database(&evidence.path) || evidence.facts.os_release.is_some();
        match linked.next_if(|&(linked, _)| linked == i) {
            Some((_, Linked::Evidence(facts))) => state.insert_owned(index, path, evidence, facts),
            Some((_, Linked::Symlink(target))) => {
                if layer.implied_directories.binary_search(&evidence.path).is_ok() {
                    let reason = "written through a hard link to a symbolic link of a lower layer".into();
                    state.gap(Some(index), Gap { kind: GapKind::Ambiguous, path: path.clone(), reason });
                }
                state.remove(&path);
                state.links.insert(path.clone(), target.clone());
                if !databases::reads_any_file(&evidence.extractor) {
                    let facts = Facts { link: Some(Link::Symbolic(target)), ..Facts::default() };
                    state.insert_owned(index, path, evidence, facts);
                }
            }
            Some((_, Linked::Unknown)) if databases::reads_any_file(&evidence.extractor) => state.remove(&path),
            Some((_, Linked::Unknown)) => {
                let reason = "a hard link to a file whose bytes were not kept".into();
                // Said even if a later layer replaces the file: since when its packages are there is not known then.
                state.gap(Some(index), Gap { kind: GapKind::UnresolvedLink, path: path.clone(), reason });
                state.insert_owned(index, path, evidence, Facts::default());
            }
            None => state.insert(index, path, evidence),
        }
    }
    executables::put(state, index, layer, &relocation, replaced);
    state.exposed.apply(index, layer, &relocation);
    state.end_layer();
}

/// Takes away what `hides` hide, and puts the symbolic links among them.
fn hide(state: &mut State<'_>, relocation: &Relocation<'_>, hides: &[Hide]) {
    for hide in hides {
        match hide.kind {
            HideKind::Whiteout => relocation.apply(&hide.path).iter().for_each(|path| state.remove(path)),
            HideKind::Opaque => relocation.inside(&hide.path).iter().for_each(|path| state.remove_below(path)),
            _ => {}
        }
    }
    for hide in hides {
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
}

/// What a hard link to a file of the layers below stands for.
enum Linked {
    /// Evidence of the same kind.
    Evidence(Facts),
    /// A symbolic link with this target.
    Symlink(Vec<u8>),
    /// Nothing that was kept.
    Unknown,
}

impl Linked {
    fn new(state: &State<'_>, evidence: &Evidence, target: &LayerPath) -> Self {
        let Some(target) = state.links.resolve_parent(target) else { return Self::Unknown };
        if let Some(symlink) = state.links.target(&target) {
            return Self::Symlink(symlink.to_vec());
        }
        let Some(slot) = state.slots.get(&target).filter(|slot| slot.extractor == evidence.extractor) else {
            return Self::Unknown;
        };
        let mut facts = slot.facts.deref().clone();
        for gap in facts.gaps.iter_mut().filter(|gap| gap.path == target) {
            gap.path = evidence.path.clone();
        }
        if let Some(owner) = &mut facts.owner {
            *owner = list_owner(&evidence.path);
        }
        Self::Evidence(facts)
    }
}
