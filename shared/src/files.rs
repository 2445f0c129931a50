//! Which files a layer has: asked only of layers above an exposure, whether they overwrite it.

use std::collections::HashSet;

use bincode::{Decode, Encode};

use crate::path::LayerPath;

/// The files of a layer, links included, as 32-bit hashes of their paths: of ten thousand files one in 400,000 other paths has
/// the hash of one. Kept as differences of the sorted hashes, which take two or three bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Files {
    steps: Vec<u32>,
}

impl Files {
    /// Those whose paths have these [`key`]s, in any order.
    pub fn of(mut keys: Vec<u32>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let mut before = 0;
        for key in &mut keys {
            (*key, before) = (*key - before, *key);
        }
        keys.shrink_to_fit();
        Self { steps: keys }
    }

    /// Their keys, to be asked.
    pub fn keys(&self) -> Keys {
        let mut at = 0_u32;
        let keys = self.steps.iter().map(|step| {
            at = at.wrapping_add(*step);
            at
        });
        Keys { keys: keys.collect() }
    }

    /// About how many bytes they take in memory.
    pub fn weight(&self) -> usize {
        size_of_val(self.steps.as_slice())
    }
}

/// The keys of a layer's files.
pub struct Keys {
    keys: HashSet<u32>,
}

impl Keys {
    /// Whether a file is at `path`.
    pub fn contains(&self, path: &[u8]) -> bool {
        self.keys.contains(&key(path))
    }
}

/// The key of the path of a file.
pub fn key(path: &[u8]) -> u32 {
    let hash = blake3::hash(path);
    hash.as_bytes().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl<'p> FromIterator<&'p LayerPath> for Files {
    fn from_iter<I: IntoIterator<Item = &'p LayerPath>>(paths: I) -> Self {
        Self::of(paths.into_iter().map(|path| key(path.as_bytes())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_what_it_was_made_of() {
        let files: Files = ["b", "a/c", "b"].map(LayerPath::from).iter().collect();
        let keys = files.keys();
        assert!(keys.contains(b"b") && keys.contains(b"a/c"));
        assert!(!keys.contains(b"a") && !keys.contains(b""));
        assert_eq!(files.weight(), 8);
        assert!(!Files::default().keys().contains(b"a"));
    }
}
