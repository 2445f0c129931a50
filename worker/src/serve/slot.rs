//! A slot: takes one task after the other, and no second one before the first is done with.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use lazaret::door::queue::{Deliveries, Delivery, QueueError};
use lazaret::task::{Class, Task};
use lazaret::telemetry::metrics as names;
use tracing::Instrument as _;

use super::perform::Performer;
use super::shutdown::Shutdown;
use super::trace::span_of;

/// Pauses before a consumer that ended is opened again.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// One slot.
pub(super) struct Slot {
    pub(super) performer: Arc<Performer>,
    pub(super) class: Class,
    pub(super) deliveries: Box<dyn Deliveries<Task>>,
}

impl Slot {
    /// Works until it is told to stop, and then ends what it has begun.
    ///
    /// # Errors
    /// The queue is closed, though nobody wished to stop.
    pub(super) async fn work(mut self, shutdown: Shutdown) -> Result<(), QueueError> {
        while let Some(next) = unless(&shutdown, self.next()).await {
            let delivery = match next {
                Ok(delivery) => delivery,
                Err(QueueError::Closed) => return Err(QueueError::Closed),
                Err(error) => {
                    tracing::error!(%error, class = self.class.name(), "the consumer ended; it is opened again");
                    if unless(&shutdown, self.open_again()).await.transpose()?.is_none() {
                        break;
                    }
                    continue;
                }
            };
            let span = span_of(&delivery.message);
            let busy = metrics::gauge!(names::SLOTS_BUSY, "class" => self.class.name());
            busy.increment(1.0);
            let performing = AssertUnwindSafe(self.performer.perform(delivery).instrument(span)).catch_unwind();
            let outcome = performing.await;
            busy.decrement(1.0);
            if outcome.is_err() {
                // Our own bug. The delivery was never answered; with its consumer it goes back, and counts as a crash.
                tracing::error!("a task crashed the slot that it was in");
                if unless(&shutdown, self.open_again()).await.transpose()?.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The next delivery; none while the store is away.
    async fn next(&mut self) -> Result<Delivery<Task>, QueueError> {
        self.performer.keep.breaker.closed().await;
        self.deliveries.next().await
    }

    /// Opens the consumer anew, as often as it takes.
    async fn open_again(&mut self) -> Result<(), QueueError> {
        let mut pauses = PAUSES.iter();
        loop {
            tokio::time::sleep(pauses.next().or(PAUSES.last()).copied().unwrap_or_default()).await;
            match self.performer.queue.consume(self.class).await {
                Ok(deliveries) => {
                    self.deliveries = deliveries;
                    return Ok(());
                }
                Err(QueueError::Closed) => return Err(QueueError::Closed),
                Err(error) => tracing::error!(%error, "the consumer cannot be opened"),
            }
        }
    }
}

/// What `waiting` yields, unless it is time to stop first.
async fn unless<T>(shutdown: &Shutdown, waiting: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = shutdown.asked() => None,
        outcome = waiting => Some(outcome),
    }
}
