//! The symbolic links of an image, and where a path leads through them, inside the root.

use std::cell::Cell;
use std::collections::BTreeMap;

use lazaret::path::{LayerPath, split};

/// As many links as Linux follows in one look-up.
const MAX_FOLLOWED: usize = 40;

/// Bytes of paths that may be looked up in one image: seconds of CPU time. One path may lead through 40 links of 2,000
/// components each, and an image may have hundreds of thousands of such paths.
const MAX_WORK: u64 = 8 << 30;

/// Symbolic links by path.
#[derive(Default)]
pub(super) struct Links {
    links: BTreeMap<LayerPath, Vec<u8>>,
    /// A directory that is no link, nor is any above it: most files have the directory of the one before.
    clear: Vec<u8>,
    work: Cell<u64>,
}

impl Links {
    pub(super) fn insert(&mut self, path: LayerPath, target: Vec<u8>) {
        self.clear.clear();
        self.links.insert(path, target);
    }

    /// The links to begin with, in order.
    pub(super) fn begin(&mut self, links: impl IntoIterator<Item = (LayerPath, Vec<u8>)>) {
        self.clear.clear();
        self.links = links.into_iter().collect();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub(super) fn contains(&self, path: &LayerPath) -> bool {
        self.links.contains_key(path)
    }

    /// What the link at `path` says, as written.
    pub(super) fn target(&self, path: &LayerPath) -> Option<&[u8]> {
        self.links.get(path).map(Vec::as_slice)
    }

    /// A file stands at `path`, so the directories above it are none of them links.
    pub(super) fn remove_above(&mut self, path: &LayerPath) {
        let directory = split(path.as_bytes()).0;
        if self.clear == directory || self.links.is_empty() {
            return;
        }
        let mut above = directory;
        while !above.is_empty() {
            self.links.remove(above);
            above = split(above).0;
        }
        self.clear.clear();
        self.clear.extend_from_slice(directory);
    }

    pub(super) fn map_mut(&mut self) -> &mut BTreeMap<LayerPath, Vec<u8>> {
        &mut self.links
    }

    /// Where `path` leads, its last component followed too; `None` if links lead in a circle, or have led too far already.
    pub(super) fn resolve(&self, path: &LayerPath) -> Option<LayerPath> {
        self.resolve_from(LayerPath::root(), path.as_bytes(), &mut |_| {})
    }

    /// The same, showing every place on the way.
    pub(super) fn resolve_by(&self, path: &LayerPath, visit: &mut dyn FnMut(&LayerPath)) -> Option<LayerPath> {
        self.resolve_from(LayerPath::root(), path.as_bytes(), visit)
    }

    /// Where the file at `path` is; its last component is not followed.
    pub(super) fn resolve_parent(&self, path: &LayerPath) -> Option<LayerPath> {
        if self.links.is_empty() {
            return Some(path.clone());
        }
        let mut resolved = self.resolve_from(LayerPath::root(), path.parent(), &mut |_| {})?;
        if !path.file_name().is_empty() {
            resolved.push(path.file_name());
        }
        Some(resolved)
    }

    /// Where a link at `link` with this `target` leads.
    pub(super) fn resolve_target(&self, link: &LayerPath, target: &[u8]) -> Option<LayerPath> {
        let start = if target.starts_with(b"/") { LayerPath::root() } else { LayerPath::from_entry(link.parent()) };
        self.resolve_from(start, target, &mut |_| {})
    }

    fn resolve_from(&self, start: LayerPath, name: &[u8], visit: &mut dyn FnMut(&LayerPath)) -> Option<LayerPath> {
        let mut followed = 0;
        let mut path = start;
        let mut todo: Vec<&[u8]> = name.rsplit(|&b| b == b'/').collect();
        while let Some(component) = todo.pop() {
            match component {
                b"" | b"." => {}
                b".." => path.pop(),
                name => {
                    path.push(name);
                    visit(&path);
                    self.work.set(self.work.get() + path.as_bytes().len() as u64);
                    if self.work.get() > MAX_WORK {
                        return None;
                    }
                    if let Some(target) = self.links.get(&path) {
                        followed += 1;
                        if followed > MAX_FOLLOWED {
                            return None;
                        }
                        if target.starts_with(b"/") {
                            path = LayerPath::root()
                        } else {
                            path.pop()
                        }
                        todo.extend(target.rsplit(|&b| b == b'/'));
                    }
                }
            }
        }
        Some(path)
    }

    /// `path`, which lies below `from`, as it lies below `to`.
    pub(super) fn rebase(path: &LayerPath, from: &[u8], to: &LayerPath) -> LayerPath {
        let mut rebased = to.clone();
        rebased.extend(&path.as_bytes()[from.len()..]);
        rebased
    }
}
