//! The queue door: tasks to workers, announcements back, jobs to the coordinator that owns them. Messages are hints: each
//! may come twice or out of order, and losing all of them costs time, never a result.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::task::{Announcement, Class, Task};

mod amqp;
pub mod conformance;
mod memory;
mod settings;

pub use amqp::{AmqpQueue, BrokerUrl};
pub use memory::MemoryQueue;
pub use settings::QueueSettings;

/// A broker.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Publishes tasks, each to the queue of its class: persistent, mandatory, confirmed. One result for each task, in
    /// order; `Ok` means that the broker has it and a queue took it. Waits while the connection is being restored, up to a
    /// limit. An error leaves the outcome unknown: publishing again is right.
    async fn publish(&self, tasks: &[Task]) -> Vec<Result<(), QueueError>>;

    /// Opens one slot: a consumer of the tasks of `class` that holds one unacknowledged delivery at a time.
    ///
    /// # Errors
    /// The queues are missing or of another shape, or the broker refuses. Not: it cannot be reached, which is waited for.
    async fn consume(&self, class: Class) -> Result<Box<dyn Deliveries<Task>>, QueueError>;

    /// Opens the consumer of tasks that nobody could deal with: delivered too often, or no message of ours at all.
    ///
    /// # Errors
    /// As for [`Queue::consume`].
    async fn dead_letters(&self) -> Result<Box<dyn Deliveries<DeadLetter>>, QueueError>;

    /// Tells every coordinator that listens that a task has ended. Not confirmed, not kept.
    async fn announce(&self, announcement: &Announcement);

    /// Listens to announcements from now on. Whatever is said while the connection is down is lost;
    /// [`Announced::Missed`] says so.
    ///
    /// # Errors
    /// As for [`Queue::consume`].
    async fn announcements(&self) -> Result<Box<dyn Announcements>, QueueError>;

    /// Tells that there is a job, by its id (ASCII letters, digits and `-`, at most 64): confirmed and persistent.
    ///
    /// # Errors
    /// The outcome is unknown; publishing again is right.
    async fn publish_job(&self, job: &str) -> Result<(), QueueError>;

    /// Opens the consumer of jobs in shard `shard` of [`Queue::job_shards`]. Of all consumers of a shard one is active; when
    /// it goes, its unacknowledged jobs come to the next. At most `limit` are unacknowledged at a time.
    ///
    /// # Errors
    /// As for [`Queue::consume`].
    async fn jobs(&self, shard: u16, limit: u16) -> Result<Box<dyn Deliveries<String>>, QueueError>;

    /// How many shards jobs are spread over, by a hash of their id.
    fn job_shards(&self) -> u16;

    /// What waits in the queues.
    ///
    /// # Errors
    /// The broker cannot be asked.
    async fn depths(&self) -> Result<Depths, QueueError>;

    /// The state of the connections, without asking anybody.
    fn health(&self) -> Health;

    /// Closes all connections in good order. Unacknowledged deliveries go back.
    async fn close(&self);
}

/// Deliveries of one consumer, one after the other.
#[async_trait]
pub trait Deliveries<T: Send>: Send {
    /// The next delivery. Waits, also while the connection is being restored.
    ///
    /// # Errors
    /// The consumer is over for good: the queue is closed, was deleted, or has another shape.
    async fn next(&mut self) -> Result<Delivery<T>, QueueError>;
}

/// One receipt of a message. Dropping the receipt without a word gives the message back, and counts as a delivery that failed.
pub struct Delivery<T> {
    /// The message.
    pub message: T,
    /// Whether somebody may have been given it before, and was lost without a word.
    pub again: bool,
    /// What to do with it.
    pub receipt: Box<dyn Receipt>,
}

/// What is done with a delivery, once.
#[async_trait]
pub trait Receipt: Send + Sync {
    /// Done with it. `false` means that the broker does not know so: the connection it came by is gone, and it will be
    /// delivered again.
    async fn ack(self: Box<Self>) -> bool;

    /// Later again: a copy with one attempt more goes to the first rung of the ladder that waits at least `delay`,
    /// confirmed, and only then is this one acknowledged. `counted` is whether the attempt counts; handing back a
    /// message that only another build understands does not.
    ///
    /// # Errors
    /// The copy was not confirmed; the delivery itself stays unacknowledged and comes back.
    async fn retry(self: Box<Self>, delay: Duration, counted: bool) -> Result<(), QueueError>;

    /// Nobody can deal with it: it goes to the dead letters.
    async fn reject(self: Box<Self>);

    /// Resolves when the delivery can no longer be acknowledged, its connection being gone; somebody else gets it then.
    async fn lost(&self);
}

/// A message that ended among the dead letters.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// The task; nothing where the message was none.
    pub task: Option<Task>,
    /// Why it is here, as the broker says: `rejected`, `delivery_limit`, `expired`, …
    pub reason: String,
}

/// What is heard.
#[async_trait]
pub trait Announcements: Send {
    /// The next announcement.
    ///
    /// # Errors
    /// The queue is closed.
    async fn next(&mut self) -> Result<Announced, QueueError>;
}

/// One thing heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// A task ended.
    Ended(Announcement),
    /// The connection was down; whatever was said meanwhile is lost.
    Missed,
}

/// Messages that wait, those delivered and not acknowledged not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Ready in the interactive queue.
    pub interactive: u64,
    /// Ready in the bulk queue.
    pub bulk: u64,
    /// On the retry ladder, all rungs.
    pub retry: u64,
    /// Dead letters.
    pub dead: u64,
    /// Jobs, all shards.
    pub jobs: u64,
}

/// The state of a broker's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All connections are up.
    Up,
    /// The broker takes no publishes now (memory or disk alarm), and says why.
    Blocked(String),
    /// Being restored; the last error.
    Down(String),
}

/// Why the queue did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// A queue that this build does not know.
    #[error("unknown queue `{0}`; write amqp://HOST or memory:")]
    Url(String),
    /// The broker could not be reached within the time allowed.
    #[error("cannot reach the broker: {0}")]
    Unreachable(String),
    /// The broker refuses: credentials, permissions, a virtual host that is not there.
    #[error("the broker refuses: {0}")]
    Refused(String),
    /// A queue is missing or declared with other arguments.
    #[error(
        "{queue}: {reason}; `lazaret queues declare` makes what is missing, a queue of another shape has to be deleted first"
    )]
    Topology {
        /// Which.
        queue: String,
        /// What the broker says.
        reason: String,
    },
    /// The broker did not confirm in time.
    #[error("the broker did not confirm within {0:?}; the message may or may not have arrived")]
    Unconfirmed(Duration),
    /// The broker took the message and no queue did.
    #[error("no queue takes messages for `{0}`")]
    Unroutable(String),
    /// An id that is none: a bug of the caller, or something hostile that became part of it.
    #[error("malformed id of a job; it has at most 64 ASCII letters, digits and `-`")]
    Job,
    /// The queue is full, or the broker is over a limit.
    #[error("the broker rejected the message: the queue is full")]
    Full,
    /// The door has been closed.
    #[error("the queue is closed")]
    Closed,
}

impl QueueError {
    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Unconfirmed(_) | Self::Full)
    }
}

/// A queue, shared.
pub type SharedQueue = Arc<dyn Queue>;

/// Opens the queue that `url` names: `amqp(s)://USER:PASSWORD@HOST:PORT,HOST:PORT/VHOST` or `memory:`.
///
/// # Errors
/// [`QueueError::Url`] for anything else; what the broker says where it refuses, is not reached within
/// [`QueueSettings::first_connection`], or has queues of another shape.
pub async fn open(url: &str, settings: &QueueSettings) -> Result<SharedQueue, QueueError> {
    match url.split_once(':') {
        Some(("amqp" | "amqps", _)) => Ok(Arc::new(AmqpQueue::open(&BrokerUrl::parse(url)?, settings).await?)),
        Some(("memory", "")) => Ok(Arc::new(MemoryQueue::new(settings))),
        _ => Err(QueueError::Url(shown(url))),
    }
}

/// Whether `id` is that of a job.
fn is_job(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= 64 && id.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// The shard of a job among `shards`.
fn shard(job: &str, shards: u16) -> u16 {
    let hash = blake3::hash(job.as_bytes());
    let [first, second, ..] = *hash.as_bytes();
    u16::from_le_bytes([first, second]) % shards.max(1)
}

/// What may be shown of a URL that could not be read, and may hold a password.
fn shown(url: &str) -> String {
    let start: String = url.chars().take(100).collect();
    match (url.contains('@'), start.split_once("://")) {
        (true, Some((scheme, _))) if !scheme.contains('@') => format!("{}://…", crate::text::visible(scheme)),
        (true, _) => "…".to_owned(),
        (false, _) => crate::text::visible(&start).into_owned(),
    }
}
