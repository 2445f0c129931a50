//! Blobs that are kept for the next one who asks, up to a number of bytes; the one unused for longest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lazaret::digest::Digest;

pub(crate) struct Kept {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: HashMap<Digest, (Bytes, u64)>,
    by_use: BTreeMap<u64, Digest>,
    bytes: usize,
    uses: u64,
}

impl Kept {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Bytes> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let (blob, used) = state.blobs.get_mut(digest)?;
        state.by_use.remove(used);
        state.uses += 1;
        *used = state.uses;
        state.by_use.insert(state.uses, *digest);
        Some(blob.clone())
    }

    pub(crate) fn put(&self, digest: Digest, blob: &Bytes) {
        // One blob must not drive all others out.
        if blob.len() > self.most / 4 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.uses += 1;
        state.bytes += blob.len();
        state.by_use.insert(state.uses, digest);
        if let Some((old, used)) = state.blobs.insert(digest, (blob.clone(), state.uses)) {
            state.bytes -= old.len();
            state.by_use.remove(&used);
        }
        while state.bytes > self.most {
            let Some((_, oldest)) = state.by_use.pop_first() else { break };
            state.bytes -= state.blobs.remove(&oldest).map_or(0, |(blob, _)| blob.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_unused_for_longest_goes_first() {
        let kept = Kept::new(1000);
        let digests = [1_u8, 2, 3, 4, 5].map(|n| Digest::of(&[n]));
        let blob = Bytes::from(vec![0; 250]);
        digests[..4].iter().for_each(|digest| kept.put(*digest, &blob));
        assert!(kept.get(&digests[0]).is_some());
        kept.put(digests[4], &blob);
        kept.put(digests[4], &blob);
        let there = digests.map(|digest| kept.get(&digest).is_some());
        assert_eq!(there, [true, false, true, true, true]);
        kept.put(digests[1], &Bytes::from(vec![0; 251]));
        assert!(kept.get(&digests[1]).is_none(), "too large a part of the whole");
    }
}
