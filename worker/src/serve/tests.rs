//! Tasks performed with doors that write down what happens, and fail as told.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use lazaret::digest::Digest;
use lazaret::door::queue::Delivery;
use lazaret::door::store::{Store as _, StoreError};
use lazaret::image::Descriptor;
use lazaret::key;
use lazaret::record::{FailureKind, FailureRecord, LayerRecord};
use lazaret::task::{Class, Place, Task};
use lazaret::wire::{self, Kind};
use tokio::sync::Notify;

use self::fakes::{Answer, FakeAnalysis, FakeBlobs, FakeCache, FakeQueue, FakeReceipt, FakeStore, Journal};
use super::analyse::Failed;
use super::breaker::Breaker;
use super::fetch::Fetch;
use super::keep::Keep;
use super::perform::{Ending, Performer};
use super::room::Room;
use super::settings::Settings;
use super::shutdown::Shutdown;
use super::{Doors, Ended, run};

mod fakes;

const MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// A worker, its doors, and one task.
struct Stage {
    journal: Journal,
    store: Arc<FakeStore>,
    cache: Arc<FakeCache>,
    queue: Arc<FakeQueue>,
    blobs: FakeBlobs,
    failures: Vec<Failed>,
    gate: Option<Mutex<std::sync::mpsc::Receiver<()>>>,
    acknowledged: bool,
    lost: Arc<Notify>,
    task: Task,
}

impl Stage {
    /// The blob is an empty tar archive, and it is in repository `a`.
    fn new() -> Self {
        let (journal, layer) = (Journal::default(), vec![0; 1024]);
        let blob = Descriptor { media_type: MEDIA_TYPE.into(), digest: Digest::of(&layer), size: 1024 };
        let set = crate::fingerprint::packages().to_string();
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
            lost: Arc::default(),
            journal,
            task,
        }
    }

    /// In these repositories it is so.
    fn answers<const N: usize>(mut self, answers: [(&str, Answer); N]) -> Self {
        self.task.places = answers.iter().map(|(repository, _)| place(repository)).collect();
        self.blobs.answers = answers.into_iter().map(|(repository, answer)| (repository.to_owned(), answer)).collect();
        self
    }

    fn key(&self) -> String {
        key::layer(&self.task.blob.digest, &self.task.set)
    }

    fn delivery(&self) -> Delivery<Task> {
        let (journal, lost) = (self.journal.clone(), Arc::clone(&self.lost));
        let receipt = FakeReceipt { journal, acknowledged: self.acknowledged, lost };
        Delivery { message: self.task.clone(), receipt: Box::new(receipt) }
    }

    fn analysis(&mut self) -> Arc<FakeAnalysis> {
        let failures = Mutex::new(std::mem::take(&mut self.failures));
        Arc::new(FakeAnalysis { journal: self.journal.clone(), failures, gate: self.gate.take() })
    }

    fn performer(&mut self) -> Performer {
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
                room: Room::new(1 << 20),
                deadline: Duration::from_secs(60),
            },
            set: crate::fingerprint::packages().to_string(),
            attempts: 5,
        }
    }

    async fn perform(&mut self) -> Ending {
        let delivery = self.delivery();
        self.performer().perform(delivery).await
    }

    async fn record(&self) -> Option<LayerRecord> {
        let object = self.store.memory.get(&self.key()).await.unwrap()?;
        Some(wire::open(Kind::LayerRecord, &self.key(), &object).unwrap())
    }

    async fn failure(&self) -> Option<FailureRecord> {
        let key = key::failure(&self.task.blob.digest, &self.task.id);
        let object = self.store.memory.get(&key).await.unwrap()?;
        Some(serde_json::from_slice(&object).unwrap())
    }
}

fn place(repository: &str) -> Place {
    // The first letter of a repository is its registry, too.
    Place { registry: repository.chars().take(1).collect(), repository: repository.to_owned() }
}

#[tokio::test]
async fn put_announce_ack_in_this_order() {
    let mut stage = Stage::new();
    assert_eq!(stage.perform().await, Ending::Analysed);
    let expected =
        ["renew 30 s", "open a", "analyse", "store put record", "cache put", "announce done=true", "release", "ack"];
    let lines = stage.journal.lines();
    let begins = lines.iter().position(|line| line == "renew 30 s").unwrap();
    assert!(begins <= 1, "the claim is renewed while the work begins: {lines:?}");
    assert!(expected.iter().all(|line| lines.contains(&(*line).to_owned())), "{lines:?}");
    assert_eq!(lines[2..], expected[2..]);
    let record = stage.record().await.unwrap();
    assert_eq!(record.inventory.diff_id, Some(stage.task.blob.digest));
    assert_eq!(record.cost.job, "job-1");
}

#[tokio::test]
async fn an_ack_that_nobody_heard_is_no_trouble() {
    let mut stage = Stage::new();
    stage.acknowledged = false;
    assert_eq!(stage.perform().await, Ending::Analysed);
    assert!(stage.record().await.is_some());
    assert_eq!(stage.perform().await, Ending::Reused, "it comes again, and is done already");
    assert_eq!(stage.journal.count("analyse"), 1);
}

#[tokio::test]
async fn what_is_there_is_not_fetched_again() {
    for in_cache in [true, false] {
        let mut stage = Stage::new();
        let sealed = wire::seal(Kind::LayerRecord, &stage.key(), &LayerRecord::default()).unwrap();
        match in_cache {
            true => drop(stage.cache.held.lock().unwrap().insert(stage.key(), sealed)),
            false => stage.store.memory.put(&stage.key(), sealed).await.unwrap(),
        }
        assert_eq!(stage.perform().await, Ending::Reused);
        assert_eq!(stage.journal.count("open"), 0);
        let lines = stage.journal.lines();
        assert_eq!(lines[lines.len() - 3..], ["announce done=true", "release", "ack"]);
        assert!(stage.cache.held.lock().unwrap().contains_key(&stage.key()), "the cache is filled again");
    }
}

#[tokio::test]
async fn garbage_in_store_and_cache_counts_as_absent() {
    let mut stage = Stage::new();
    stage.cache.held.lock().unwrap().insert(stage.key(), b"garbage".to_vec());
    stage.store.memory.put(&stage.key(), b"LZRT garbage".to_vec()).await.unwrap();
    assert_eq!(stage.perform().await, Ending::Analysed);
    assert!(stage.record().await.is_some());
}

#[tokio::test]
async fn a_task_for_another_build_is_handed_back() {
    let mut stage = Stage::new();
    stage.task = Task::new(stage.task.blob.clone(), "00ff", Class::Bulk, stage.task.places.clone());
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(60), false));
    assert_eq!(stage.journal.lines(), ["renew 90 s", "retry after 60 s, counted=false"]);
}

#[tokio::test]
async fn the_next_place_is_asked_where_one_does_not_have_it() {
    let good = Answer::Bytes(vec![0; 1024]);
    let mut corrupt = vec![0; 1024];
    corrupt[0] = 1;
    for first in [Answer::Missing, Answer::Busy(None), Answer::Bytes(vec![0; 512]), Answer::Bytes(corrupt)] {
        let mut stage = Stage::new().answers([("x", first), ("y", good.clone())]);
        assert_eq!(stage.perform().await, Ending::Analysed);
        assert_eq!(stage.journal.count("open"), 2);
    }
}

#[tokio::test]
async fn what_is_nowhere_is_a_failure_of_its_places() {
    let mut stage = Stage::new().answers([("x", Answer::Missing), ("y", Answer::Missing)]);
    assert_eq!(stage.perform().await, Ending::Failed);
    let lines = stage.journal.lines();
    assert_eq!(lines[lines.len() - 4..], ["store put failure", "announce done=false", "release", "ack"]);
    let failure = stage.failure().await.unwrap();
    assert_eq!(failure.kind, FailureKind::Source(vec![place("x"), place("y")]));
    assert_eq!((failure.reason.as_str(), failure.attempts), ("y: 404", 1));
    stage.blobs = FakeBlobs { journal: stage.journal.clone(), ..FakeBlobs::default() };
    stage.perform().await;
    assert_eq!(stage.failure().await.unwrap().ticket, stage.task.ticket);
}

#[tokio::test]
async fn what_passes_is_tried_again_later_and_not_for_ever() {
    for (attempt, busy, pause) in [(0, None, 10), (1, None, 60), (2, None, 600), (3, None, 600), (0, Some(120), 120)] {
        let mut stage = Stage::new().answers([("a", Answer::Busy(busy)), ("a/2", Answer::Busy(None))]);
        stage.task.attempt = attempt;
        assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(pause), true));
        assert_eq!(stage.journal.count("open"), 1, "a busy registry is not asked for another repository");
        let lines = stage.journal.lines();
        let last = [format!("renew {} s", pause + 30), format!("retry after {pause} s, counted=true")];
        assert_eq!(lines[lines.len() - 2..], last, "the claim outlives the pause");
        assert!(stage.failure().await.is_none());
    }
    let mut stage = Stage::new().answers([("a", Answer::Busy(None))]);
    stage.task.attempt = 4;
    assert_eq!(stage.perform().await, Ending::Failed);
    let failure = stage.failure().await.unwrap();
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Source(vec![place("a")]), 5));
}

#[tokio::test]
async fn bytes_that_are_no_layer_are_a_failure_of_the_layer() {
    let noise = vec![7; 1024];
    let mut stage = Stage::new().answers([("a", Answer::Bytes(noise.clone()))]);
    stage.task.blob.digest = Digest::of(&noise);
    stage.task = Task::new(stage.task.blob.clone(), &stage.task.set, Class::Bulk, stage.task.places.clone());
    assert_eq!(stage.perform().await, Ending::Failed);
    let failure = stage.failure().await.unwrap();
    let said = crate::analyze::analyze(&noise[..], &stage.task.blob, &Default::default()).unwrap_err().to_string();
    assert_eq!((failure.kind, failure.reason), (FailureKind::Layer, said), "in the words of a scan in one process");

    let mut other = Stage::new();
    other.task.blob.media_type = "application/x-\u{1b}encrypted".to_owned();
    assert_eq!(other.perform().await, Ending::Failed);
    let failure = other.failure().await.unwrap();
    assert_eq!((failure.kind, other.journal.count("open")), (FailureKind::Layer, 0));
    assert!(failure.reason.contains("application/x-\\x1bencrypted"), "{}", failure.reason);
}

#[tokio::test]
async fn a_crash_is_tried_once_more_and_is_a_failure_then() {
    let crash = || Failed::Resources("the child crashed".to_owned());
    let mut stage = Stage::new();
    stage.failures = vec![crash()];
    assert_eq!(stage.perform().await, Ending::Analysed);
    let mut stage = Stage::new();
    stage.failures = vec![crash(), crash()];
    assert_eq!(stage.perform().await, Ending::Failed);
    assert_eq!(stage.failure().await.unwrap().kind, FailureKind::Resources);
}

#[tokio::test]
async fn trouble_while_reading_is_the_sources() {
    for (error, ending) in [
        (io::Error::from(io::ErrorKind::ConnectionReset), Ending::Later(Duration::from_secs(10), true)),
        (io::Error::from(io::ErrorKind::TimedOut), Ending::Later(Duration::from_secs(10), true)),
        (lazaret::door::source::SourceError::BlobMissing { digest: Digest::of(b"") }.into_io(), Ending::Failed),
    ] {
        let mut stage = Stage::new();
        stage.failures = vec![Failed::Source(error)];
        assert_eq!(stage.perform().await, ending);
    }
    let mut stage = Stage::new();
    stage.failures = vec![Failed::Sandbox("no zygote".to_owned())];
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(10), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_delivery_is_given_up_and_its_claim_is_given_back_only_where_another_is_done() {
    for another_is_done in [false, true] {
        let mut stage = Stage::new();
        let (open, gate) = std::sync::mpsc::channel();
        stage.gate = Some(Mutex::new(gate));
        let (performer, delivery) = (stage.performer(), stage.delivery());
        let performing = tokio::spawn(async move { performer.perform(delivery).await });
        while stage.journal.count("analyse") == 0 {
            tokio::task::yield_now().await;
        }
        if another_is_done {
            let record = wire::seal(Kind::LayerRecord, &stage.key(), &LayerRecord::default()).unwrap();
            stage.cache.held.lock().unwrap().insert(stage.key(), record);
        }
        stage.lost.notify_one();
        assert_eq!(performing.await.unwrap(), Ending::Lost);
        drop(open);
        assert_eq!(stage.journal.count("release"), usize::from(another_is_done));
        for line in ["ack", "retry", "announce", "store put", "reject"] {
            assert_eq!(stage.journal.count(line), 0, "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nothing_is_acknowledged_and_it_is_asked_slowly() {
    for trouble in
        [(|| StoreError::Refused("403".to_owned())) as fn() -> StoreError, || StoreError::Unavailable("503".to_owned())]
    {
        let mut stage = Stage::new();
        *stage.store.trouble.lock().unwrap() = Some(trouble);
        let (performer, delivery) = (Arc::new(stage.performer()), stage.delivery());
        let breaker = Arc::clone(&performer.keep.breaker);
        let performing = tokio::spawn(async move { performer.perform(delivery).await });
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert!(!performing.is_finished() && breaker.trouble().is_some());
        assert_eq!(stage.journal.count("ack") + stage.journal.count("retry"), 0);
        let asked = stage.store.asked.load(Ordering::Relaxed);
        assert!((4..=10).contains(&asked), "asked {asked} times in 120 s");
        *stage.store.trouble.lock().unwrap() = None;
        assert_eq!(performing.await.unwrap(), Ending::Analysed);
        assert!(breaker.trouble().is_none() && stage.record().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_comes_back_holds_no_task_for_ever() {
    let mut stage = Stage::new();
    *stage.store.trouble.lock().unwrap() = Some(|| StoreError::Unavailable("503".to_owned()));
    assert_eq!(stage.perform().await, Ending::Later(Duration::from_secs(10), false));
    assert_eq!(stage.journal.count("ack"), 0);
}

fn settings(more: &str) -> Settings {
    let line = format!("lazaret-worker --queue x: --store x: --listen none --slots 1 --interactive-slots 1 {more}");
    Settings::parse_from(line.split_whitespace())
}

/// Starts a worker on the stage.
fn start(
    stage: &mut Stage,
    settings: Settings,
    shutdown: &Shutdown,
) -> tokio::task::JoinHandle<Result<Ended, super::ServeError>> {
    let doors = Doors { queue: stage.queue.clone(), cache: stage.cache.clone(), store: stage.store.clone() };
    let (analyse, blobs) = (stage.analysis(), Arc::new(std::mem::take(&mut stage.blobs)));
    let shutdown = shutdown.clone();
    tokio::spawn(async move { run(&settings, doors, analyse, blobs, None, shutdown).await })
}

async fn until(condition: impl Fn() -> bool) {
    tokio::time::timeout(Duration::from_secs(30), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("in time");
}

#[tokio::test]
async fn a_worker_that_is_stopped_ends_what_it_began_and_takes_nothing_new() {
    let mut stage = Stage::new();
    let (open, gate) = std::sync::mpsc::channel();
    stage.gate = Some(Mutex::new(gate));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings(""), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    until(|| stage.journal.count("analyse") == 1).await;
    stage.queue.deliver.send(stage.delivery()).unwrap();
    shutdown.ask();
    assert!(!running.is_finished());
    open.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap(), Ended::Drained);
    assert_eq!((stage.journal.count("ack"), stage.journal.count("analyse")), (1, 1));
    assert_eq!(stage.journal.lines().last().map(String::as_str), Some("close"));
}

#[tokio::test]
async fn grace_has_an_end() {
    let mut stage = Stage::new();
    let (open, gate) = std::sync::mpsc::channel();
    stage.gate = Some(Mutex::new(gate));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings("--grace 0"), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    until(|| stage.journal.count("analyse") == 1).await;
    shutdown.ask();
    assert_eq!(running.await.unwrap().unwrap(), Ended::GraceOver);
    assert_eq!(stage.journal.count("ack"), 0);
    drop(open);
}

#[tokio::test(start_paused = true)]
async fn no_task_is_taken_while_the_store_refuses() {
    let mut stage = Stage::new();
    *stage.store.trouble.lock().unwrap() = Some(|| StoreError::Refused("403".to_owned()));
    let shutdown = Shutdown::default();
    let running = start(&mut stage, settings(""), &shutdown);
    stage.queue.deliver.send(stage.delivery()).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(stage.journal.count("renew"), 0, "no task was begun");
    *stage.store.trouble.lock().unwrap() = None;
    tokio::time::resume();
    until(|| stage.journal.count("ack") == 1).await;
    shutdown.ask();
    assert_eq!(running.await.unwrap().unwrap(), Ended::Drained);
}
