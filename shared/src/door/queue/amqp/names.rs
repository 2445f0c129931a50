//! What queues, exchanges and headers are called.

use std::time::Duration;

use crate::task::Class;

/// Header: how often the task was tried already.
pub(super) const ATTEMPT: &str = "lazaret-attempt";
/// Header: how often the message was handed back without being tried.
pub(super) const HANDED_BACK: &str = "lazaret-handed-back";
/// Header: W3C trace context.
pub(super) const TRACE: &str = "traceparent";

/// The names below one prefix.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
    shards: u16,
}

impl Names {
    pub(super) fn new(prefix: &str, shards: u16) -> Self {
        Self { prefix: prefix.to_owned(), shards: shards.max(1) }
    }

    /// The queue of the tasks of `class`.
    pub(super) fn tasks(&self, class: Class) -> String {
        format!("{}.{}", self.prefix, class.name())
    }

    /// The queue of dead letters.
    pub(super) fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The rung that waits for `delay`: a queue, and the exchange in front of it. The exchange takes every routing key, and
    /// the queue keeps it, so that a message comes back to the queue that its key names.
    pub(super) fn rung(&self, delay: Duration) -> String {
        match delay.subsec_millis() {
            0 => format!("{}.retry.{}s", self.prefix, delay.as_secs()),
            _ => format!("{}.retry.{}ms", self.prefix, delay.as_millis()),
        }
    }

    /// The exchange of announcements.
    pub(super) fn announcements(&self) -> String {
        format!("{}.announce", self.prefix)
    }

    /// The queue of the jobs of a shard.
    pub(super) fn jobs(&self, shard: u16) -> String {
        format!("{}.jobs.{shard}", self.prefix)
    }

    /// The queues of jobs.
    pub(super) fn all_jobs(&self) -> impl Iterator<Item = String> {
        (0..self.shards).map(|shard| self.jobs(shard))
    }
}
