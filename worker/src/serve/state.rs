//! Whether a worker is fit to work, for whoever asks.

use std::sync::Arc;

use lazaret::door::cache::SharedCache;
use lazaret::door::queue::{Health, SharedQueue};
use serde::Serialize;

use super::breaker::Breaker;
use super::shutdown::Shutdown;

/// What the state is read from.
#[derive(Clone)]
pub(super) struct State {
    pub(super) queue: SharedQueue,
    pub(super) cache: SharedCache,
    pub(super) breaker: Arc<Breaker>,
    pub(super) shutdown: Shutdown,
    /// How well hostile bytes are shut in.
    pub(super) sandbox: Arc<str>,
}

/// The state at a moment.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Readiness {
    /// Whether tasks are taken.
    pub(super) ready: bool,
    /// Why not.
    pub(super) reasons: Vec<String>,
    /// The sandbox's level.
    pub(super) sandbox: String,
    /// The cache is never a reason: everything goes on without.
    pub(super) cache: &'static str,
}

impl State {
    /// The state now.
    pub(super) fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        match self.queue.health() {
            Health::Up => {}
            // A broker that takes no publishes still delivers and hears what is done.
            Health::Blocked(reason) => tracing::debug!(reason, "the broker takes no publishes"),
            Health::Down(reason) => reasons.push(format!("the queue is away: {reason}")),
        }
        reasons.extend(self.breaker.trouble());
        if self.shutdown.is_asked() {
            reasons.push("the worker is stopping".to_owned());
        }
        let cache = if self.cache.is_healthy() { "up" } else { "down" };
        Readiness { ready: reasons.is_empty(), reasons, sandbox: self.sandbox.to_string(), cache }
    }
}
