//! Bytes in flight: how much of layers may be worked on at a time, in all slots together.

use std::sync::Arc;

use lazaret::telemetry::metrics as names;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit in which it is counted: a smaller layer takes one.
const UNIT: u64 = 64 << 10;

/// Room for layers. First come, first served, so that a large one gets its turn.
#[derive(Debug)]
pub(super) struct Room {
    units: Arc<Semaphore>,
    all: u32,
}

/// A part of the room; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    _permit: Option<OwnedSemaphorePermit>,
    bytes: f64,
}

impl Room {
    /// Room for `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits for room for `bytes`. What is larger than the whole room has it to itself.
    pub(super) async fn take(&self, bytes: u64) -> Taken {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.all);
        // Nobody closes this semaphore; without a permit there would merely be no limit.
        let permit = Arc::clone(&self.units).acquire_many_owned(units).await.ok();
        let bytes = bytes as f64;
        metrics::gauge!(names::BYTES_IN_FLIGHT).increment(bytes);
        Taken { _permit: permit, bytes }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        metrics::gauge!(names::BYTES_IN_FLIGHT).decrement(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_large_one_has_it_to_itself() {
        let room = Room::new(10 * UNIT);
        let some = [room.take(0), room.take(4 * UNIT), room.take(5 * UNIT)].map(|taking| taking.now_or_never());
        assert!(some.iter().all(Option::is_some));
        assert!(room.take(1).now_or_never().is_none(), "an empty layer takes room too");
        drop(some);
        let large = room.take(u64::MAX).now_or_never();
        assert!(large.is_some() && room.take(1).now_or_never().is_none());
        drop(large);
        assert!(room.take(10 * UNIT).now_or_never().is_some());
    }
}
