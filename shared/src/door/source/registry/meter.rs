//! What reading a blob took: the requests that went out for it, and the bytes that came.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts while a blob is opened and read. What is asked again, redirected or asked of a token server counts too, and
/// bytes count as often as they come.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    /// Requests that were sent, to registries, token servers and wherever these led.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of the blob that were received.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
