//! What was asked of a registry and what it answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use lazaret::digest::Digest;

/// The counts at one moment. A request counts under its kind when it is answered with what it asks for, also when a fault
/// then cuts the answer off; requests that are refused or fail count as refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everything that came in.
    pub requests: u64,
    /// Manifests that were fetched.
    pub manifest_gets: u64,
    /// Manifests of which only the digest was asked.
    pub manifest_heads: u64,
    /// Blobs that were fetched, layers and configurations, whole or in part.
    pub blob_gets: u64,
    /// Of these, those from a byte on.
    pub range_gets: u64,
    /// Blobs of which only the size was asked.
    pub blob_heads: u64,
    /// Bytes of blobs that were sent.
    pub blob_bytes: u64,
    /// Answers 404.
    pub missing: u64,
    /// Answers 429, 500 and 503.
    pub refused: u64,
    /// Answers that were cut off or dripped.
    pub maimed: u64,
    /// How many different blobs were fetched.
    pub distinct_blobs: u64,
    /// How often the blob that was fetched most often was fetched.
    pub most_gets_of_one_blob: u32,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) manifest_gets: AtomicU64,
    pub(super) manifest_heads: AtomicU64,
    pub(super) range_gets: AtomicU64,
    pub(super) blob_heads: AtomicU64,
    pub(super) blob_bytes: AtomicU64,
    pub(super) missing: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) maimed: AtomicU64,
    blobs: Mutex<HashMap<Digest, u32>>,
}

impl Counters {
    pub(super) fn blob_get(&self, digest: Digest) {
        *self.blobs.lock().unwrap_or_else(PoisonError::into_inner).entry(digest).or_default() += 1;
    }

    pub(super) fn gets_of(&self, digest: &Digest) -> u32 {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(digest).copied().unwrap_or_default()
    }

    pub(super) fn counts(&self) -> Counts {
        let blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        Counts {
            requests: self.requests.load(Relaxed),
            manifest_gets: self.manifest_gets.load(Relaxed),
            manifest_heads: self.manifest_heads.load(Relaxed),
            blob_gets: blobs.values().map(|gets| u64::from(*gets)).sum(),
            range_gets: self.range_gets.load(Relaxed),
            blob_heads: self.blob_heads.load(Relaxed),
            blob_bytes: self.blob_bytes.load(Relaxed),
            missing: self.missing.load(Relaxed),
            refused: self.refused.load(Relaxed),
            maimed: self.maimed.load(Relaxed),
            distinct_blobs: blobs.len() as u64,
            most_gets_of_one_blob: blobs.values().copied().max().unwrap_or_default(),
        }
    }

    /// Every count is 0 again.
    pub(super) fn reset(&self) {
        let Self { requests, manifest_gets, manifest_heads, range_gets, blob_heads, blob_bytes, .. } = self;
        let Self { missing, refused, maimed, blobs, .. } = self;
        for count in
            [requests, manifest_gets, manifest_heads, range_gets, blob_heads, blob_bytes, missing, refused, maimed]
        {
            count.store(0, Relaxed);
        }
        blobs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
