//! How fast a registry answers: bytes and requests per second, and what each request waits for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The limits of a registry; no limit unless given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Throttle {
    /// Bytes of blobs per second, over all connections.
    pub bytes_per_second: Option<u64>,
    /// How long each answer takes at least.
    pub latency: Duration,
    /// More requests per second than this are answered 429 with `Retry-After: 1`.
    pub requests_per_second: Option<u32>,
}

/// Hands out time: who takes some is told how long to wait until it is theirs.
pub(super) struct Pace {
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { next: Mutex::new(Instant::now()) }
    }

    /// How long to wait before sending `bytes`.
    pub(super) fn wait(&self, bytes: usize, per_second: u64) -> Duration {
        let cost = Duration::from_secs_f64(bytes as f64 / per_second.max(1) as f64);
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*next).max(now);
        *next = start + cost;
        *next - now
    }

    /// Whether one more request is within the limit; a second's worth may come at once.
    pub(super) fn admits(&self, per_second: u32) -> bool {
        let cost = Duration::from_secs(1) / per_second.max(1);
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*next).max(now);
        let admits = start - now < Duration::from_secs(1);
        if admits {
            *next = start + cost;
        }
        admits
    }
}
