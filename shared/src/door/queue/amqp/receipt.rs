//! What is done with a delivery.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::message::Delivery as Arrived;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};

use super::super::settings::MAX_HANDED_BACK;
use super::super::{QueueError, Receipt};
use super::Connections;
use super::consumer::Session;
use super::message::{self, Counts, Outgoing};
use crate::telemetry::metrics as names;

/// How long a message that only a later build understands waits for one.
const HANDED_BACK_FOR: Duration = Duration::from_secs(60);

/// A delivery that is not acknowledged yet.
pub(super) struct AmqpReceipt {
    connections: Arc<Connections>,
    session: Arc<Session>,
    delivery: Arrived,
}

impl AmqpReceipt {
    pub(super) fn new(connections: &Arc<Connections>, session: &Arc<Session>, delivery: Arrived) -> Self {
        Self { connections: Arc::clone(connections), session: Arc::clone(session), delivery }
    }

    /// Moves it to the dead letters.
    pub(super) async fn dead(&self, why: &'static str) {
        tracing::warn!(why, queue = self.session.queue, "a message goes to the dead letters");
        // Where the channel is gone, it is delivered again and ends the same way.
        let _ = self.delivery.acker.reject(BasicRejectOptions { requeue: false }).await;
    }

    /// Leaves it to a later build.
    pub(super) async fn hand_back(&self) {
        if let Err(error) = self.again(HANDED_BACK_FOR, false).await {
            tracing::warn!(%error, "cannot hand a message back to the queue");
        }
    }

    async fn again(&self, delay: Duration, counted: bool) -> Result<(), QueueError> {
        let Counts { attempt, handed_back } = Counts::of(&self.delivery);
        if !counted && handed_back >= MAX_HANDED_BACK {
            self.dead("handed-back").await;
            return Ok(());
        }
        let counts = match counted {
            true => Counts { attempt: attempt.saturating_add(1), handed_back },
            false => Counts { attempt, handed_back: handed_back + 1 },
        };
        let copy = Outgoing {
            exchange: self.connections.rung(delay),
            key: self.session.queue.clone(),
            body: self.delivery.data.clone(),
            counts,
            trace: message::trace(&self.delivery),
        };
        self.connections.publisher.publish(&copy).await?;
        let reason = if counted { "trouble" } else { "handed-back" };
        metrics::counter!(names::RETRIES, "reason" => reason).increment(1);
        // Should this fail the message is there twice, which is allowed.
        let _ = self.acknowledge().await;
        Ok(())
    }

    async fn acknowledge(&self) -> bool {
        matches!(self.delivery.acker.ack(BasicAckOptions::default()).await, Ok(true))
    }
}

#[async_trait]
impl Receipt for AmqpReceipt {
    async fn ack(self: Box<Self>) -> bool {
        let known = self.acknowledge().await;
        // A build that takes `Ok(false)` for an acknowledgement.
        #[cfg(feature = "mutants")]
        let known = known || crate::door::mutant::is("ok-false-ignored");
        if !known {
            metrics::counter!(names::ACKS_LOST).increment(1);
        }
        known
    }

    async fn retry(self: Box<Self>, delay: Duration, counted: bool) -> Result<(), QueueError> {
        self.again(delay, counted).await
    }

    async fn reject(self: Box<Self>) {
        self.dead("rejected").await;
    }

    async fn lost(&self) {
        let mut gone = self.session.gone.subscribe();
        tokio::select! {
            // The session, and so the sender, is held by this receipt.
            _ = gone.wait_for(|gone| *gone) => {}
            () = self.connections.consuming.left(self.session.generation) => {}
        }
    }
}

impl Drop for AmqpReceipt {
    /// Gives back what nobody acknowledged, so that its consumer gets on.
    fn drop(&mut self) {
        let acker = &self.delivery.acker;
        if acker.usable()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (acker, session) = (acker.clone(), Arc::clone(&self.session));
            runtime.spawn(async move {
                // Where the channel is gone it has gone back already.
                let _ = acker.nack(BasicNackOptions { requeue: true, ..Default::default() }).await;
                drop(session);
            });
        }
    }
}
