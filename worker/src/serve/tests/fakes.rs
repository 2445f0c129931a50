//! Doors that write down what happens to them, and fail as told.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lazaret::door::cache::{Cache, Claim};
use lazaret::door::queue::{
    Announcements, DeadLetter, Deliveries, Delivery, Depths, Health, Queue, QueueError, Receipt,
};
use lazaret::door::source::registry::Meter;
use lazaret::door::source::{BlobReader, Exact, SourceError};
use lazaret::door::store::{MemoryStore, Store, StoreError, Version};
use lazaret::image::Descriptor;
use lazaret::rules::RulesObject;
use lazaret::task::{Announcement, Class, Place, Task};
use tokio::sync::{Notify, mpsc};

use super::super::analyse::{Analyse, Analysed, Failed, InProcess};
use super::super::blobs::{Blobs, NotOpened};
use crate::sandbox::Level;

/// What happened, in order.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(super) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Lines that start so.
    pub(super) fn count(&self, start: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(start)).count()
    }
}

pub(super) struct FakeQueue {
    pub(super) journal: Journal,
    bulk: Mutex<Option<mpsc::UnboundedReceiver<Delivery<Task>>>>,
    pub(super) deliver: mpsc::UnboundedSender<Delivery<Task>>,
}

impl FakeQueue {
    pub(super) fn new(journal: Journal) -> Self {
        let (deliver, bulk) = mpsc::unbounded_channel();
        Self { journal, bulk: Mutex::new(Some(bulk)), deliver }
    }
}

#[async_trait]
impl Queue for FakeQueue {
    async fn publish(&self, tasks: &[Task]) -> Vec<Result<(), QueueError>> {
        tasks.iter().map(|_| Err(QueueError::Closed)).collect()
    }

    /// The first consumer of bulk tasks gets what is delivered; others wait for ever.
    async fn consume(&self, class: Class) -> Result<Box<dyn Deliveries<Task>>, QueueError> {
        let bulk = if class == Class::Bulk { self.bulk.lock().unwrap().take() } else { None };
        Ok(Box::new(FakeDeliveries(bulk)))
    }

    async fn dead_letters(&self) -> Result<Box<dyn Deliveries<DeadLetter>>, QueueError> {
        Err(QueueError::Closed)
    }

    async fn announce(&self, announcement: &Announcement) {
        self.journal.write(format!("announce done={}", announcement.done));
    }

    async fn announcements(&self) -> Result<Box<dyn Announcements>, QueueError> {
        Err(QueueError::Closed)
    }

    async fn publish_job(&self, _: &str) -> Result<(), QueueError> {
        Err(QueueError::Closed)
    }

    async fn jobs(&self, _: u16, _: u16) -> Result<Box<dyn Deliveries<String>>, QueueError> {
        Err(QueueError::Closed)
    }

    fn job_shards(&self) -> u16 {
        1
    }

    async fn depths(&self) -> Result<Depths, QueueError> {
        Err(QueueError::Closed)
    }

    fn health(&self) -> Health {
        Health::Up
    }

    async fn close(&self) {
        self.journal.write("close");
    }
}

struct FakeDeliveries(Option<mpsc::UnboundedReceiver<Delivery<Task>>>);

#[async_trait]
impl Deliveries<Task> for FakeDeliveries {
    async fn next(&mut self) -> Result<Delivery<Task>, QueueError> {
        match &mut self.0 {
            Some(deliveries) => deliveries.recv().await.ok_or(QueueError::Closed),
            None => std::future::pending().await,
        }
    }
}

/// A receipt; `acknowledged` is what `ack` says, `lost` what makes it lost.
pub(super) struct FakeReceipt {
    pub(super) journal: Journal,
    pub(super) acknowledged: bool,
    pub(super) lost: Arc<Notify>,
}

#[async_trait]
impl Receipt for FakeReceipt {
    async fn ack(self: Box<Self>) -> bool {
        self.journal.write("ack");
        self.acknowledged
    }

    async fn retry(self: Box<Self>, delay: Duration, counted: bool) -> Result<(), QueueError> {
        self.journal.write(format!("retry after {} s, counted={counted}", delay.as_secs()));
        Ok(())
    }

    async fn reject(self: Box<Self>) {
        self.journal.write("reject");
    }

    async fn lost(&self) {
        self.lost.notified().await;
    }
}

#[derive(Default)]
pub(super) struct FakeCache {
    pub(super) journal: Journal,
    pub(super) held: Mutex<HashMap<String, Vec<u8>>>,
    /// Who holds every claim, if that is known.
    pub(super) holder: Mutex<Option<String>>,
}

#[async_trait]
impl Cache for FakeCache {
    async fn present(&self, keys: &[String]) -> Vec<bool> {
        keys.iter().map(|key| self.held.lock().unwrap().contains_key(key)).collect()
    }

    async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        self.journal.write("look");
        keys.iter().map(|key| self.held.lock().unwrap().get(key).cloned()).collect()
    }

    async fn put(&self, key: &str, value: &[u8]) {
        self.journal.write("cache put");
        self.held.lock().unwrap().insert(key.to_owned(), value.to_vec());
    }

    async fn claim(&self, claims: &[(String, String)], ttl: Duration) -> Vec<Claim> {
        self.journal.write(format!("claim {} s", ttl.as_secs()));
        let claim = self.holder.lock().unwrap().clone().map_or(Claim::Unknown, Claim::Held);
        vec![claim; claims.len()]
    }

    async fn renew(&self, _: &[(String, String)], ttl: Duration) {
        self.journal.write(format!("renew {} s", ttl.as_secs()));
    }

    async fn extend(&self, _: &[(String, String)], _: Duration) {}

    async fn release(&self, _: &[(String, String)]) {
        self.journal.write("release");
    }

    async fn claims(&self) -> Option<u64> {
        None
    }

    fn is_healthy(&self) -> bool {
        true
    }
}

/// A store in memory; while `trouble` says something, that is all it says.
#[derive(Default)]
pub(super) struct FakeStore {
    pub(super) journal: Journal,
    pub(super) memory: MemoryStore,
    pub(super) trouble: Mutex<Option<fn() -> StoreError>>,
    pub(super) asked: AtomicUsize,
}

impl FakeStore {
    fn well(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.trouble.lock().unwrap().map_or(Ok(()), |trouble| Err(trouble()))
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.well()?;
        self.memory.get(key).await
    }

    async fn put(&self, key: &str, object: Vec<u8>) -> Result<(), StoreError> {
        self.well()?;
        let kind = if key.contains("/failed-") { "failure" } else { "record" };
        if key != "layers/probe" {
            self.journal.write(format!("store put {kind}"));
        }
        self.memory.put(key, object).await
    }

    async fn present(&self, keys: &[String]) -> Result<Vec<bool>, StoreError> {
        self.well()?;
        self.memory.present(keys).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.memory.list(prefix, after).await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.memory.remove(key).await
    }

    async fn versioned(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        self.memory.versioned(key).await
    }

    async fn replace(&self, key: &str, object: Vec<u8>, seen: Option<&Version>) -> Result<bool, StoreError> {
        self.memory.replace(key, object, seen).await
    }

    fn is_conditional(&self) -> bool {
        true
    }
}

/// What a repository answers.
#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes, whatever was asked for.
    Bytes(Vec<u8>),
    /// It has no such blob.
    Missing,
    /// Too many requests; come back after so many seconds.
    Busy(Option<u64>),
}

/// Repositories by name.
#[derive(Default)]
pub(super) struct FakeBlobs {
    pub(super) journal: Journal,
    pub(super) answers: HashMap<String, Answer>,
}

#[async_trait]
impl Blobs for FakeBlobs {
    async fn open(&self, place: &Place, blob: &Descriptor, _: Arc<Meter>) -> Result<Box<dyn BlobReader>, NotOpened> {
        self.journal.write(format!("open {}", place.repository));
        let refuse = |transient, after: Option<u64>| NotOpened {
            error: SourceError::Remote {
                reference: place.repository.clone(),
                reason: if transient { "429" } else { "404" }.to_owned(),
                hint: None,
                transient,
            },
            again_after: after.map(Duration::from_secs),
        };
        match self.answers.get(&place.repository) {
            Some(Answer::Bytes(bytes)) => {
                Ok(Box::new(Exact::new(std::io::Cursor::new(bytes.clone()), blob.digest, blob.size)))
            }
            Some(Answer::Busy(after)) => Err(refuse(true, *after)),
            Some(Answer::Missing) | None => Err(refuse(false, None)),
        }
    }
}

/// Analyses in this process, after failing as told, so many times.
pub(super) struct FakeAnalysis {
    pub(super) journal: Journal,
    pub(super) failures: Mutex<Vec<Failed>>,
    /// Waited for before anything else, where there is one.
    pub(super) gate: Option<Mutex<std::sync::mpsc::Receiver<()>>>,
}

impl Analyse for FakeAnalysis {
    fn analyse(
        &self,
        blob: &mut dyn BufRead,
        named: &Descriptor,
        added: Option<&RulesObject>,
    ) -> Result<Analysed, Failed> {
        self.journal.write("analyse");
        self.gate.iter().for_each(|gate| gate.lock().unwrap().recv().unwrap_or_default());
        match self.failures.lock().unwrap().pop() {
            Some(failed) => Err(failed),
            None => InProcess.analyse(blob, named, added),
        }
    }

    fn level(&self) -> Level {
        Level::None
    }

    fn protection(&self) -> &str {
        "none: a test"
    }
}
