//! A queue within one process: the laptop's path, and what the broker is compared with. Nothing polls; a message costs a
//! lock and a wake-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use self::line::{Entry, Line};
use super::settings::MAX_HANDED_BACK;
use super::{
    Announced, Announcements, DeadLetter, Deliveries, Delivery, Depths, Health, Queue, QueueError, QueueSettings,
    Receipt, is_job, shard,
};
use crate::task::{Announcement, Class, Task};

mod line;

/// Announcements that a listener may lag behind before it misses some.
const HEARD: usize = 4_096;
/// How often a message is delivered and comes back without a word before it is a dead letter; as with the broker.
const DELIVERY_LIMIT: u16 = 20;

/// Queues in memory. They end with the value, and with them what waits there.
pub struct MemoryQueue(Arc<Inner>);

struct Inner {
    interactive: Arc<Line<Task>>,
    bulk: Arc<Line<Task>>,
    dead: Arc<Line<DeadLetter>>,
    jobs: Vec<Arc<Line<String>>>,
    announcements: broadcast::Sender<Announcement>,
    /// Messages that wait for their next attempt.
    retried: AtomicU64,
    closed: watch::Sender<bool>,
}

impl MemoryQueue {
    /// Empty queues; of the settings only the number of shards matters here.
    pub fn new(settings: &QueueSettings) -> Self {
        Self(Arc::new(Inner {
            interactive: Arc::default(),
            bulk: Arc::default(),
            dead: Arc::default(),
            jobs: (0..settings.job_shards.max(1)).map(|_| Arc::default()).collect(),
            announcements: broadcast::Sender::new(HEARD),
            retried: AtomicU64::new(0),
            closed: watch::Sender::new(false),
        }))
    }
}

impl Inner {
    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn tasks(&self, class: Class) -> &Arc<Line<Task>> {
        match class {
            Class::Interactive => &self.interactive,
            Class::Bulk => &self.bulk,
        }
    }

    async fn closed(&self) {
        // The sender is in the very value that is borrowed.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }
}

/// What travels through the queues.
trait Message: Clone + Send + Sync + 'static {
    /// One attempt more.
    fn count(&mut self) {}

    /// As a dead letter.
    fn dead(self, reason: &str) -> DeadLetter;
}

impl Message for Task {
    fn count(&mut self) {
        self.attempt = self.attempt.saturating_add(1);
    }

    fn dead(self, reason: &str) -> DeadLetter {
        DeadLetter { task: Some(self), reason: reason.to_owned() }
    }
}

impl Message for DeadLetter {
    fn dead(self, _: &str) -> DeadLetter {
        self
    }
}

impl Message for String {
    fn dead(self, reason: &str) -> DeadLetter {
        DeadLetter { task: None, reason: reason.to_owned() }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, tasks: &[Task]) -> Vec<Result<(), QueueError>> {
        if self.0.is_closed() {
            return tasks.iter().map(|_| Err(QueueError::Closed)).collect();
        }
        for class in Class::ALL {
            self.0.tasks(class).append(tasks.iter().filter(|task| task.class == class).cloned());
        }
        tasks.iter().map(|_| Ok(())).collect()
    }

    async fn consume(&self, class: Class) -> Result<Box<dyn Deliveries<Task>>, QueueError> {
        Ok(Box::new(MemoryDeliveries::new(&self.0, self.0.tasks(class), 1, None)))
    }

    async fn dead_letters(&self) -> Result<Box<dyn Deliveries<DeadLetter>>, QueueError> {
        Ok(Box::new(MemoryDeliveries::new(&self.0, &self.0.dead, 1, None)))
    }

    async fn announce(&self, announcement: &Announcement) {
        // An error says that nobody listens.
        let _ = self.0.announcements.send(announcement.clone());
    }

    async fn announcements(&self) -> Result<Box<dyn Announcements>, QueueError> {
        Ok(Box::new(MemoryAnnouncements { inner: Arc::clone(&self.0), heard: self.0.announcements.subscribe() }))
    }

    async fn publish_job(&self, job: &str) -> Result<(), QueueError> {
        if !is_job(job.as_bytes()) {
            return Err(QueueError::Job);
        }
        let line = self.0.jobs.get(usize::from(shard(job, self.job_shards()))).ok_or(QueueError::Job)?;
        match self.0.is_closed() {
            true => Err(QueueError::Closed),
            false => {
                line.append(std::iter::once(job.to_owned()));
                Ok(())
            }
        }
    }

    async fn jobs(&self, shard: u16, limit: u16) -> Result<Box<dyn Deliveries<String>>, QueueError> {
        let line = self.0.jobs.get(usize::from(shard)).ok_or_else(|| QueueError::Topology {
            queue: format!("jobs.{shard}"),
            reason: "there is no such shard".to_owned(),
        })?;
        Ok(Box::new(MemoryDeliveries::new(&self.0, line, limit, Some(Arc::clone(line.active())))))
    }

    fn job_shards(&self) -> u16 {
        u16::try_from(self.0.jobs.len()).unwrap_or(u16::MAX)
    }

    async fn depths(&self) -> Result<Depths, QueueError> {
        Ok(Depths {
            interactive: self.0.interactive.len(),
            bulk: self.0.bulk.len(),
            retry: self.0.retried.load(Ordering::Relaxed),
            dead: self.0.dead.len(),
            jobs: self.0.jobs.iter().map(|line| line.len()).sum(),
        })
    }

    fn health(&self) -> Health {
        if self.0.is_closed() { Health::Down("closed".to_owned()) } else { Health::Up }
    }

    async fn close(&self) {
        self.0.closed.send_replace(true);
    }
}

struct MemoryDeliveries<T> {
    inner: Arc<Inner>,
    line: Arc<Line<T>>,
    /// As many as may be unacknowledged.
    slots: Arc<Semaphore>,
    /// Where only one consumer is active: what makes it this one, and whether it is.
    turn: Option<Arc<Semaphore>>,
    active: Option<OwnedSemaphorePermit>,
}

impl<T: Message> MemoryDeliveries<T> {
    fn new(inner: &Arc<Inner>, line: &Arc<Line<T>>, limit: u16, turn: Option<Arc<Semaphore>>) -> Self {
        let slots = Arc::new(Semaphore::new(usize::from(limit.max(1))));
        Self { inner: Arc::clone(inner), line: Arc::clone(line), slots, turn, active: None }
    }

    async fn entry(&mut self) -> Result<(OwnedSemaphorePermit, Entry<T>), QueueError> {
        // Nobody closes a semaphore.
        if let (Some(turn), None) = (&self.turn, &self.active) {
            self.active = Some(Arc::clone(turn).acquire_owned().await.map_err(|_| QueueError::Closed)?);
        }
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| QueueError::Closed)?;
        Ok((slot, self.line.take().await))
    }
}

#[async_trait]
impl<T: Message> Deliveries<T> for MemoryDeliveries<T> {
    async fn next(&mut self) -> Result<Delivery<T>, QueueError> {
        let inner = Arc::clone(&self.inner);
        let (slot, entry) = tokio::select! {
            biased;
            () = inner.closed() => return Err(QueueError::Closed),
            taken = self.entry() => taken?,
        };
        let (message, again) = (entry.message.clone(), entry.deliveries > 0);
        let receipt = MemoryReceipt { inner, line: Arc::clone(&self.line), entry: Some(entry), _slot: slot };
        Ok(Delivery { message, again, receipt: Box::new(receipt) })
    }
}

struct MemoryReceipt<T: Message> {
    inner: Arc<Inner>,
    line: Arc<Line<T>>,
    /// Nothing once something has been done with it.
    entry: Option<Entry<T>>,
    _slot: OwnedSemaphorePermit,
}

impl<T: Message> MemoryReceipt<T> {
    fn bury(&self, entry: Entry<T>, reason: &str) {
        self.inner.dead.append(std::iter::once(entry.message.dead(reason)));
    }
}

#[async_trait]
impl<T: Message> Receipt for MemoryReceipt<T> {
    async fn ack(mut self: Box<Self>) -> bool {
        let open = !self.inner.is_closed();
        if open {
            self.entry = None;
        }
        open
    }

    async fn retry(mut self: Box<Self>, delay: Duration, counted: bool) -> Result<(), QueueError> {
        if self.inner.is_closed() {
            return Err(QueueError::Closed);
        }
        let Some(mut entry) = self.entry.take() else { return Ok(()) };
        match counted {
            true => entry.message.count(),
            false if entry.handed_back >= MAX_HANDED_BACK => {
                self.bury(entry, "rejected");
                return Ok(());
            }
            false => entry.handed_back += 1,
        }
        entry.deliveries = 0;
        let (inner, line) = (Arc::clone(&self.inner), Arc::clone(&self.line));
        inner.retried.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = inner.closed() => {}
            }
            line.give_back(entry);
            inner.retried.fetch_sub(1, Ordering::Relaxed);
        });
        Ok(())
    }

    async fn reject(mut self: Box<Self>) {
        if let Some(entry) = self.entry.take() {
            self.bury(entry, "rejected");
        }
    }

    async fn lost(&self) {
        self.inner.closed().await;
    }
}

impl<T: Message> Drop for MemoryReceipt<T> {
    fn drop(&mut self) {
        let Some(mut entry) = self.entry.take() else { return };
        entry.deliveries += 1;
        match entry.deliveries > DELIVERY_LIMIT {
            true => self.bury(entry, "delivery_limit"),
            false => self.line.give_back(entry),
        }
    }
}

struct MemoryAnnouncements {
    inner: Arc<Inner>,
    heard: broadcast::Receiver<Announcement>,
}

#[async_trait]
impl Announcements for MemoryAnnouncements {
    async fn next(&mut self) -> Result<Announced, QueueError> {
        tokio::select! {
            biased;
            () = self.inner.closed() => Err(QueueError::Closed),
            heard = self.heard.recv() => match heard {
                Ok(announcement) => Ok(Announced::Ended(announcement)),
                Err(broadcast::error::RecvError::Lagged(_)) => Ok(Announced::Missed),
                Err(broadcast::error::RecvError::Closed) => Err(QueueError::Closed),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conforms() {
        let queue = MemoryQueue::new(&QueueSettings::default());
        super::super::conformance::check_queue(&queue).await;
    }

    #[tokio::test]
    async fn a_message_that_always_comes_back_is_a_dead_letter() {
        let queue = MemoryQueue::new(&QueueSettings::default());
        let task = super::super::conformance::task(1, Class::Bulk);
        assert!(queue.publish(std::slice::from_ref(&task)).await.iter().all(Result::is_ok));
        let mut tasks = queue.consume(Class::Bulk).await.expect("a consumer");
        for _ in 0..=DELIVERY_LIMIT {
            drop(tasks.next().await.expect("a delivery"));
        }
        let mut dead = queue.dead_letters().await.expect("a consumer");
        let letter = dead.next().await.expect("a dead letter").message;
        assert_eq!(letter, DeadLetter { task: Some(task), reason: "delivery_limit".to_owned() });
    }
}
