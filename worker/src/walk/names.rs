//! Where an entry of a layer ends up: its name resolved through the symbolic links that the same layer made before it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use lazaret::path::{LayerPath, keys_below, split};

use crate::limits::Limits;

/// As many links as Linux follows in one look-up.
const MAX_LINKS: usize = 40;

/// Directories and symbolic links of one layer.
#[derive(Default)]
pub(super) struct Names {
    /// Hashes of the paths of directories that have an entry; hashes, so that a layer of many directories stays small.
    directories: HashSet<u64>,
    hasher: RandomState,
    links: BTreeMap<LayerPath, Vec<u8>>,
    implied: BTreeSet<LayerPath>,
    /// Those of them that a file replaced later.
    replaced: BTreeSet<LayerPath>,
    implied_bytes: usize,
    overflowed: bool,
    /// Hard links; where they lead to may be in a lower layer.
    foreign: HashSet<LayerPath>,
    /// The first of them that entries were written below: in a lower layer it may be a symbolic link.
    below_foreign: Option<LayerPath>,
    /// Bytes of paths that were looked up among the links.
    work: u64,
    max_work: u64,
    /// The directory that was resolved last, as written and resolved: entries of one directory come together.
    last: Option<(Vec<u8>, LayerPath)>,
    /// The directory whose parents were recorded last.
    last_implied: Option<Vec<u8>>,
}

impl Names {
    /// Nothing yet; names may be looked up among links until `max_work` bytes of paths were.
    pub(super) fn new(max_work: u64) -> Self {
        Self { max_work, ..Self::default() }
    }

    /// Where an entry called `name` ends up; `None` if links lead in a circle. The last component is not followed, as no
    /// runtime follows it when it makes a file.
    pub(super) fn resolve(&mut self, name: &[u8]) -> Option<LayerPath> {
        if self.links.is_empty() {
            return Some(LayerPath::from_entry(name));
        }
        let trimmed = &name[..name.iter().rposition(|&b| b != b'/').map_or(0, |i| i + 1)];
        let (directory, last) = split(trimmed);
        if matches!(last, b"" | b"." | b"..") {
            return self.follow(trimmed);
        }
        let known =
            self.last.as_ref().filter(|(written, _)| written == directory).map(|(_, resolved)| resolved.clone());
        let mut path = match known {
            Some(path) => path,
            None => {
                let resolved = self.follow(directory)?;
                self.last = Some((directory.to_vec(), resolved.clone()));
                resolved
            }
        };
        path.push(last);
        Some(path)
    }

    /// Follows every component of `directory`, inside the root.
    fn follow(&mut self, directory: &[u8]) -> Option<LayerPath> {
        let mut followed = 0;
        let mut todo: Vec<Vec<u8>> = directory.rsplit(|&b| b == b'/').map(<[u8]>::to_vec).collect();
        let mut path = LayerPath::root();
        while let Some(component) = todo.pop() {
            match component.as_slice() {
                b"" | b"." => {}
                b".." => path.pop(),
                name => {
                    path.push(name);
                    self.work += path.as_bytes().len() as u64;
                    if self.exhausted() {
                        return None;
                    }
                    if let Some(target) = self.links.get(&path) {
                        followed += 1;
                        if followed > MAX_LINKS {
                            return None;
                        }
                        if target.starts_with(b"/") {
                            path = LayerPath::root()
                        } else {
                            path.pop()
                        }
                        todo.extend(target.rsplit(|&b| b == b'/').map(<[u8]>::to_vec));
                    }
                }
            }
        }
        Some(path)
    }

    pub(super) fn add_symlink(&mut self, path: &LayerPath, target: &[u8]) {
        self.links.insert(path.clone(), target.to_vec());
        self.last = None;
    }

    /// The target of the symbolic link that this layer has at `path`: a hard link to it is one too.
    pub(super) fn symlink(&self, path: &LayerPath) -> Option<Vec<u8>> {
        self.links.get(path).cloned()
    }

    /// Whether a symbolic link stood at `path` until now.
    pub(super) fn forget_symlink(&mut self, path: &LayerPath) -> bool {
        let stood = !self.links.is_empty() && self.links.remove(path).is_some();
        if stood {
            self.last = None;
        }
        stood
    }

    /// Takes a directory that has an entry. One that was written into before stays implied too: what came first went
    /// through a lower layer's link, if there is one.
    pub(super) fn add_directory(&mut self, path: &LayerPath) {
        self.directories.insert(self.hasher.hash_one(path.as_bytes()));
    }

    /// Whether `path` was written into before it had an entry of its own, if it has one.
    pub(super) fn is_implied(&self, path: &LayerPath) -> bool {
        self.implied.contains(path)
    }

    /// Whether a directory stood at `path` until now; the links in it are gone with it.
    pub(super) fn forget_directory(&mut self, path: &LayerPath) -> bool {
        let implied = self.implied.take(path);
        let stood = self.directories.remove(&self.hasher.hash_one(path.as_bytes())) | implied.is_some();
        self.replaced.extend(implied);
        if stood {
            self.last_implied = None;
            self.last = None;
            for link in keys_below(&self.links, path) {
                self.links.remove(&link);
            }
        }
        stood
    }

    /// Remembers the directories above `path` that have no entry of their own so far.
    pub(super) fn imply_parents(&mut self, path: &LayerPath, limits: &Limits) {
        let mut directory = path.parent();
        if self.last_implied.as_deref() == Some(directory) {
            return;
        }
        self.last_implied = Some(directory.to_vec());
        self.look_for_foreign(directory);
        while !directory.is_empty() && !self.directories.contains(&self.hasher.hash_one(directory)) {
            self.implied_bytes += directory.len();
            let full = self.implied.len() + self.replaced.len() >= limits.hides;
            if full || self.implied_bytes > limits.hides_bytes {
                self.overflowed = true;
                return;
            }
            if !self.implied.insert(LayerPath::from_entry(directory)) {
                return;
            }
            directory = split(directory).0;
        }
    }

    /// Remembers a hard link, which may be to a file of a lower layer.
    pub(super) fn add_foreign(&mut self, path: &LayerPath, limits: &Limits) {
        if self.foreign.len() < limits.hides {
            self.foreign.insert(path.clone());
        } else {
            self.overflowed = true;
        }
        self.last_implied = None;
    }

    fn look_for_foreign(&mut self, directory: &[u8]) {
        let mut above = directory;
        while !self.foreign.is_empty() && self.below_foreign.is_none() && !above.is_empty() && !self.exhausted() {
            self.work += above.len() as u64;
            self.below_foreign = self.foreign.get(above).cloned();
            above = split(above).0;
        }
    }

    /// A hard link with entries below it.
    pub(super) fn below_foreign(&self) -> Option<&LayerPath> {
        self.below_foreign.as_ref()
    }

    /// Whether names led through links more than a layer may make them; no name is followed any more.
    pub(super) fn exhausted(&self) -> bool {
        self.work > self.max_work
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    pub(super) fn into_implied(mut self) -> Vec<LayerPath> {
        self.implied.append(&mut self.replaced);
        self.implied.into_iter().collect()
    }
}
