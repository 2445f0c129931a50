//! Where the paths of one layer end up: below a symbolic link of a lower layer they go where the link leads, unless the
//! layer has put a directory in its place.

use std::borrow::Cow;
use std::collections::HashMap;

use lazaret::inventory::{Gap, GapKind, Hide, HideKind, LayerInventory};
use lazaret::path::{LayerPath, split};

use super::links::Links;
use super::places;
use super::state::State;

/// Directories of one layer that lead elsewhere, as the layers below left them.
pub(super) struct Relocation<'s> {
    moved: HashMap<&'s [u8], Option<LayerPath>>,
}

impl<'s> Relocation<'s> {
    /// Follows every directory that `layer` wrote into without an entry of its own, and notes as gaps what cannot be told.
    pub(super) fn new(state: &mut State<'_>, index: u32, layer: &'s LayerInventory) -> Self {
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
            let mut way = Vec::new();
            let resolved = state.links.resolve_by(&now, &mut |place| way.push(place.clone()));
            if let Some(reason) = doubt(layer, directory, &way, resolved.as_ref()) {
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

    /// The paths at which the layer may have written what ended up at `path`, itself the first.
    pub(super) fn origins(&self, path: &LayerPath) -> Vec<LayerPath> {
        let mut origins = vec![path.clone()];
        for (from, to) in &self.moved {
            let Some(to) = to else { continue };
            let inside = path.as_bytes().strip_prefix(to.as_bytes()).filter(|inside| inside.starts_with(b"/"));
            origins.extend(inside.map(|inside| LayerPath::from_entry(&[from, inside].concat())));
        }
        origins
    }

    /// Where `path` ends up; nowhere if the links above it lead in a circle.
    pub(super) fn apply<'p>(&self, path: &'p LayerPath) -> Option<Cow<'p, LayerPath>> {
        match self.outer(path) {
            Some((from, to)) => to.map(|to| Cow::Owned(Links::rebase(path, from, to))),
            None => Some(Cow::Borrowed(path)),
        }
    }

    /// A path at which two entries of `layer` end up, or below one of which the other does, and one of them was moved:
    /// which came last, nothing tells.
    pub(super) fn collision(&self, layer: &LayerInventory) -> Option<LayerPath> {
        if self.moved.is_empty() {
            return None;
        }
        if layer.two_kinds.is_some() {
            return layer.two_kinds.clone();
        }
        // A directory that replaced a file of its own layer is opaque.
        let standing = layer.hides.iter().filter(|hide| hide.kind != HideKind::Whiteout);
        let paths = layer.evidence.iter().map(|evidence| &evidence.path);
        let paths = paths.chain(layer.executables.iter().map(|executable| &executable.path));
        // Where they end up, and whether that is a directory.
        let all: Vec<(Cow<'_, LayerPath>, &LayerPath, bool)> = standing
            .map(|hide| (&hide.path, hide.kind == HideKind::Directory))
            .chain(paths.map(|path| (path, false)))
            .filter_map(|(path, is_directory)| Some((self.apply(path)?, path, is_directory)))
            .collect();
        let files: HashMap<&[u8], &LayerPath> =
            all.iter().filter(|(.., is_directory)| !is_directory).map(|(at, path, _)| (at.as_bytes(), *path)).collect();
        all.iter().find_map(|(at, path, _)| {
            let mut above = at.as_bytes();
            while !above.is_empty() {
                let moved = |file: &LayerPath| above != file.as_bytes() || at.as_ref() != *path;
                if files.get(above).is_some_and(|&file| file != *path && moved(file)) {
                    return Some(LayerPath::clone(path));
                }
                above = split(above).0;
            }
            None
        })
    }

    /// Where what is written into `directory` ends up.
    pub(super) fn inside<'p>(&self, directory: &'p LayerPath) -> Option<Cow<'p, LayerPath>> {
        match self.moved.get(directory.as_bytes()) {
            Some(to) => to.clone().map(Cow::Owned),
            None => self.apply(directory),
        }
    }
}

/// Why it is not certain what the files in `directory` are once they are at `resolved`.
fn doubt(
    layer: &LayerInventory,
    directory: &LayerPath,
    way: &[LayerPath],
    resolved: Option<&LayerPath>,
) -> Option<&'static str> {
    let Some(resolved) = resolved else { return Some("written through symbolic links that lead in a circle") };
    let hides = |path: &LayerPath, kind: HideKind| {
        let hide = Hide { path: path.clone(), kind };
        layer.hides.binary_search(&hide).is_ok()
    };
    let replaces = |path: &LayerPath| {
        let first = layer.hides.partition_point(|hide| hide.path < *path);
        let mut there = layer.hides[first..].iter().take_while(|hide| hide.path == *path);
        there.any(|hide| matches!(hide.kind, HideKind::Symlink(_) | HideKind::Shadow)) || layer.has_file(path)
    };
    let mut late = replaces(directory) || hides(directory, HideKind::Directory);
    let mut hidden = hides(directory, HideKind::Whiteout);
    let mut above = directory.clone();
    while !above.is_root() {
        above.pop();
        late |= replaces(&above);
        hidden |= hides(&above, HideKind::Whiteout) || hides(&above, HideKind::Opaque);
    }
    if way.iter().any(|place| place != directory && replaces(place)) {
        return Some("one layer writes through a symbolic link of a lower one and changes where it leads");
    }
    if late {
        return Some("files come before an entry for what holds them, where a lower layer has a symbolic link");
    }
    if hidden {
        return Some("one layer writes through a symbolic link of a lower one and takes it away");
    }
    let is_written = |path: &LayerPath| {
        layer.implied_directories.binary_search(path).is_ok()
            || hides(path, HideKind::Directory)
            || hides(path, HideKind::Shadow)
            || layer.executables.binary_search_by(|executable| executable.path.cmp(path)).is_ok()
    };
    places::may_gain(directory, resolved, is_written)
        .then_some("files were written through a symbolic link of a lower layer to where packages may be recorded")
}
