//! The stage of a test: a worker's doors, and one task that is delivered to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lazaret::digest::Digest;
use lazaret::door::queue::Delivery;
use lazaret::door::store::Store as _;
use lazaret::image::Descriptor;
use lazaret::key;
use lazaret::record::{FailureRecord, LayerRecord};
use lazaret::task::{Class, Place, Task};
use lazaret::wire::{self, Kind};
use tokio::sync::Notify;

use super::super::analyse::Failed;
use super::super::breaker::Breaker;
use super::super::fetch::Fetch;
use super::super::keep::Keep;
use super::super::perform::{Ending, Performer};
use super::super::room::Room;
use super::super::rules::AddedRules;
use super::fakes::{Answer, FakeAnalysis, FakeBlobs, FakeCache, FakeQueue, FakeReceipt, FakeStore, Journal};

const MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// A worker, its doors, and one task.
pub(super) struct Stage {
    pub(super) journal: Journal,
    pub(super) store: Arc<FakeStore>,
    pub(super) cache: Arc<FakeCache>,
    pub(super) queue: Arc<FakeQueue>,
    pub(super) blobs: FakeBlobs,
    pub(super) failures: Vec<Failed>,
    pub(super) gate: Option<Mutex<std::sync::mpsc::Receiver<()>>>,
    pub(super) acknowledged: bool,
    pub(super) again: bool,
    pub(super) lost: Arc<Notify>,
    pub(super) task: Task,
}

impl Stage {
    /// The blob is an empty tar archive, and it is in repository `a`.
    pub(super) fn new() -> Self {
        let (journal, layer) = (Journal::default(), vec![0; 1024]);
        let blob = Descriptor { media_type: MEDIA_TYPE.into(), digest: Digest::of(&layer), size: 1024 };
        let set = crate::fingerprint::inventories(None, None).to_string();
        let mut task = Task::new(blob, &set, Class::Bulk, vec![place("a")]);
        task.job = "job-1".to_owned();
        Self {
            store: Arc::new(FakeStore { journal: journal.clone(), ..FakeStore::default() }),
            cache: Arc::new(FakeCache { journal: journal.clone(), ..FakeCache::default() }),
            queue: Arc::new(FakeQueue::new(journal.clone())),
            blobs: FakeBlobs {
                journal: journal.clone(),
                answers: HashMap::from([("a".to_owned(), Answer::Bytes(layer))]),
            },
            failures: Vec::new(),
            gate: None,
            acknowledged: true,
            again: false,
            lost: Arc::default(),
            journal,
            task,
        }
    }

    /// In these repositories it is so.
    pub(super) fn answers<const N: usize>(mut self, answers: [(&str, Answer); N]) -> Self {
        self.task.places = answers.iter().map(|(repository, _)| place(repository)).collect();
        self.blobs.answers = answers.into_iter().map(|(repository, answer)| (repository.to_owned(), answer)).collect();
        self
    }

    pub(super) fn key(&self) -> String {
        key::layer(&self.task.blob.digest, &self.task.set)
    }

    pub(super) fn delivery(&self) -> Delivery<Task> {
        let (journal, lost) = (self.journal.clone(), Arc::clone(&self.lost));
        let receipt = FakeReceipt { journal, acknowledged: self.acknowledged, lost };
        Delivery { message: self.task.clone(), again: self.again, receipt: Box::new(receipt) }
    }

    pub(super) fn analysis(&mut self) -> Arc<FakeAnalysis> {
        let failures = Mutex::new(std::mem::take(&mut self.failures));
        Arc::new(FakeAnalysis { journal: self.journal.clone(), failures, gate: self.gate.take() })
    }

    pub(super) fn performer(&mut self) -> Performer {
        Performer {
            queue: self.queue.clone(),
            keep: Keep {
                store: self.store.clone(),
                cache: self.cache.clone(),
                breaker: Breaker::new(self.store.clone()),
            },
            fetch: Fetch {
                analyse: self.analysis(),
                blobs: Arc::new(std::mem::take(&mut self.blobs)),
                rules: AddedRules::new(self.store.clone()),
                room: Room::new(1 << 20),
                deadline: Duration::from_secs(60),
            },
            key: None,
            attempts: 5,
        }
    }

    pub(super) async fn perform(&mut self) -> Ending {
        let delivery = self.delivery();
        self.performer().perform(delivery).await
    }

    pub(super) async fn record(&self) -> Option<LayerRecord> {
        let object = self.store.memory.get(&self.key()).await.unwrap()?;
        Some(wire::open(Kind::LayerRecord, &self.key(), &object).unwrap())
    }

    pub(super) async fn failure(&self) -> Option<FailureRecord> {
        let key = key::failure(&self.task.blob.digest, &self.task.id);
        let object = self.store.memory.get(&key).await.unwrap()?;
        Some(serde_json::from_slice(&object).unwrap())
    }
}

/// A repository.
pub(super) fn place(repository: &str) -> Place {
    // The first letter of a repository is its registry, too.
    Place { registry: repository.chars().take(1).collect(), repository: repository.to_owned() }
}
