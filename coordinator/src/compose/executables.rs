//! The executables that stand, and which of them no package accounts for.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use bincode::{Decode, Encode};
use lazaret::inventory::{LayerInventory, list_owner};
use lazaret::path::{LayerPath, is_below, split};

use super::relocation::Relocation;
use super::state::State;
use super::{databases, trees};

/// So many unexplained executables are listed, the largest; the rest is counted.
const MAX_LISTED: usize = 10_000;

/// Programs and shared objects, and how much of them is known to belong to a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Executables {
    /// All of them.
    pub all: Share,
    /// Those that no package accounts for.
    pub unexplained: Share,
    /// Which those are, by path; of too many, the largest.
    pub list: Vec<Unexplained>,
}

/// A number of files, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Share {
    /// How many.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Share {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// An executable that no package accounts for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Unexplained {
    /// Where it is.
    pub path: LayerPath,
    /// The index of the layer that it is in.
    pub layer: u32,
    /// Its size.
    pub bytes: u64,
}

/// Executables by path.
#[derive(Default)]
pub(super) struct Standing<'a> {
    files: BTreeMap<Cow<'a, [u8]>, Program<'a>>,
}

/// An executable that stands.
struct Program<'a> {
    layer: u32,
    bytes: u64,
    owner: Option<Owner<'a>>,
}

/// The evidence that says whose an executable is, and the name of the OS package in it, if it is one's.
type Owner<'a> = (Cow<'a, LayerPath>, Option<Cow<'a, str>>);

impl<'a> Standing<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The executables that OS packages own, each with the name of the package and the evidence that says so.
    pub(super) fn of_os_packages(&self) -> impl Iterator<Item = (&[u8], &str, &LayerPath)> {
        self.files.iter().filter_map(|(path, program)| {
            let (evidence, package) = program.owner.as_ref()?;
            Some((path.as_ref(), package.as_deref()?, evidence.as_ref()))
        })
    }

    pub(super) fn remove_at(&mut self, path: &LayerPath) {
        self.files.remove(path.as_bytes());
    }

    pub(super) fn remove_below(&mut self, directory: &LayerPath) {
        if self.files.is_empty() {
            return;
        }
        let mut first = directory.as_bytes().to_vec();
        if !directory.is_root() {
            first.push(b'/');
        }
        let below: Vec<Cow<'a, [u8]>> = self
            .files
            .range::<[u8], _>((Bound::Included(first.as_slice()), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| is_below(path, directory.as_bytes()))
            .cloned()
            .collect();
        for path in below {
            self.files.remove(&path);
        }
    }
}

/// Whose the files are that the executables of `layer` are about to replace, in their order.
pub(super) fn replaced<'a>(
    state: &State<'a>,
    layer: &LayerInventory,
    relocation: &Relocation<'_>,
) -> Vec<Option<Owner<'a>>> {
    let owner = |path: &LayerPath| {
        let path = relocation.apply(path)?;
        state.executables.files.get(path.as_bytes())?.owner.clone()
    };
    layer.executables.iter().map(|executable| owner(&executable.path)).collect()
}

/// Puts the executables of `layer`. One that replaces another keeps its owner, if nothing here says whose it is: a package's
/// file that was touched is still the package's. `replaced` was told before anything of this layer was put.
pub(super) fn put<'a>(
    state: &mut State<'a>,
    index: u32,
    layer: &'a LayerInventory,
    relocation: &Relocation<'_>,
    replaced: Vec<Option<Owner<'a>>>,
) {
    for (executable, known) in layer.executables.iter().zip(replaced) {
        let Some(path) = relocation.apply(&executable.path) else { continue };
        let own = executable.owner.and_then(|owner| {
            let evidence = layer.evidence.get(owner.evidence as usize)?;
            let package = evidence.facts.packages.get(owner.package as usize);
            let package = package.filter(|package| package.ecosystem.is_os()).map(|package| package.name.as_str());
            let package = match databases::lists_files(&evidence.extractor) {
                true => Some(Cow::Owned(list_owner(&evidence.path))),
                // That an executable says which OS package it is from makes it none of that package's files.
                false => package.filter(|_| evidence.path != executable.path).map(Cow::Borrowed),
            };
            Some((relocation.apply(&evidence.path)?, package))
        });
        // Nor does what it says of itself come before what a database says.
        let is_listed = known.as_ref().is_some_and(|(_, package)| package.is_some());
        let own = own.filter(|(evidence, _)| !is_listed || evidence.as_ref() != path.as_ref());
        // Evidence at the very path stands already, and was put by this layer.
        if state.slots.get(path.as_ref()).is_none_or(|slot| slot.layer != index) {
            state.remove(&path);
        }
        let program = Program { layer: index, bytes: executable.bytes, owner: own.or(known) };
        let key = match path {
            Cow::Borrowed(path) => Cow::Borrowed(path.as_bytes()),
            Cow::Owned(path) => Cow::Owned(path.as_bytes().to_vec()),
        };
        state.executables.files.insert(key, program);
    }
}

/// Which executables packages account for.
pub(super) struct Accounts<'s, 'a> {
    state: &'s State<'a>,
    /// Directories of which a package has everything.
    trees: HashSet<Vec<u8>>,
}

impl<'s, 'a> Accounts<'s, 'a> {
    pub(super) fn of(state: &'s State<'a>) -> Self {
        let packages = state.slots.iter().filter(|(_, slot)| !slot.facts.packages.is_empty() && !slot.facts.declared);
        let trees = packages.filter_map(|(path, slot)| trees::tree(slot.extractor, path.as_bytes())).collect();
        Self { state, trees }
    }

    /// Whether a package brought the executable at `path`, not counting what this says of itself.
    pub(super) fn brought(&self, path: &[u8]) -> bool {
        let owner = self.state.executables.files.get(path).and_then(|program| program.owner.as_ref());
        let is_listed = owner.is_some_and(|(evidence, _)| {
            evidence.as_bytes() != path && self.state.slots.contains_key(evidence.as_ref())
        });
        is_listed || is_in_one_of(&self.trees, path)
    }

    /// What became of all of them.
    pub(super) fn finish(&self) -> Executables {
        let mut found = Executables::default();
        for (path, program) in &self.state.executables.files {
            found.all.add(program.bytes);
            let tells = || self.state.slots.get(path.as_ref()).is_some_and(|slot| !slot.facts.packages.is_empty());
            if !tells() && !self.brought(path) {
                found.unexplained.add(program.bytes);
                let path = LayerPath::from_entry(path);
                found.list.push(Unexplained { path, layer: program.layer, bytes: program.bytes });
            }
        }
        if found.list.len() > MAX_LISTED {
            found.list.sort_by(|a, b| (b.bytes, &a.path).cmp(&(a.bytes, &b.path)));
            found.list.truncate(MAX_LISTED);
            found.list.sort_unstable();
        }
        found
    }
}

fn is_in_one_of(trees: &HashSet<Vec<u8>>, path: &[u8]) -> bool {
    if trees::gem_of_extension(path).is_some_and(|gem| trees.contains(&gem)) {
        return true;
    }
    let mut above = split(path).0;
    while !above.is_empty() {
        if trees.contains(above) {
            return true;
        }
        above = split(above).0;
    }
    false
}
