//! The planner: from the wish for a layer to its record. Whatever is known already is taken from cache or store; the rest
//! becomes tasks, each distinct one once, and is awaited.
//!
//! There is no counter and no state machine. A wish is open until its record, or the record of its failure, has been seen;
//! an announcement says "look now", a timer looks anyway and plans again, and planning again *is* recovery.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lazaret::door::queue::{Announced, Depths, QueueError};
use lazaret::image::Layer;
use lazaret::record::{FailureKind, LayerRecord};
use lazaret::task::{Class, Place, Task, TaskId};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::doors::Doors;
use crate::local::Searching;

pub mod ledger;
mod look;
mod open;
mod publish;
mod recent;
mod ticket;

use ledger::Job;
use open::{Outcome, Table, Wish};
use recent::Recent;

/// Wishes that are planned together: one round trip to the cache for all of them.
const BATCH: usize = 512;
/// How long wishes of the bulk wait for others to be planned with. Nobody sees the difference, and broker, cache and store
/// are asked far less often.
const GATHERING: Duration = Duration::from_millis(20);

/// How the planner behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tasks that are published and not done yet, at most; there is never a whole registry in the broker.
    pub window: usize,
    /// How long a claim lasts until its task is confirmed: should we die between, nobody waits longer for it.
    pub unconfirmed_claim: Duration,
    /// How long a claim lasts that no worker has renewed yet.
    pub claim: Duration,
    /// How often the cache is looked into without an announcement.
    pub look: Duration,
    /// The same for the store, which costs more.
    pub look_in_store: Duration,
    /// After how long a task that was confirmed and is not done is published again: twice the deadline of a layer.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: 20_000,
            unconfirmed_claim: Duration::from_secs(20),
            claim: Duration::from_secs(900),
            look: Duration::from_secs(2),
            look_in_store: Duration::from_secs(20),
            patience: Duration::from_secs(1200),
        }
    }
}

/// Why there is no record of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whom it concerns.
    pub kind: FailureKind,
    /// In words for a person.
    pub reason: Arc<str>,
}

/// Plans for any number of images and jobs of this process. Ends when it is dropped.
pub struct Planner {
    shared: Arc<Shared>,
    /// The loop, and what it started.
    _running: JoinSet<()>,
}

struct Shared {
    doors: Doors,
    searching: Searching,
    options: Options,
    table: Mutex<Table>,
    recent: Mutex<Recent>,
    wishes: mpsc::UnboundedSender<(TaskId, Class)>,
    window: Arc<Semaphore>,
}

impl Planner {
    /// Starts planning through `doors`, for inventories that are made with `searching`.
    pub fn start(doors: Doors, searching: Searching, options: Options) -> Self {
        let (wishes, wished) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(options.window));
        let shared = Arc::new(Shared {
            doors,
            searching,
            options,
            table: Mutex::default(),
            recent: Mutex::default(),
            wishes,
            window,
        });
        let mut running = JoinSet::new();
        running.spawn(plan(Arc::clone(&shared), wished));
        running.spawn(look::listen(Arc::clone(&shared)));
        running.spawn(look::again(Arc::clone(&shared)));
        running.spawn(look::bury(Arc::clone(&shared)));
        Self { shared, _running: running }
    }

    /// The record of a layer, which can be had at `place`. Waits until there is one, or until it has failed for good.
    ///
    /// # Errors
    /// The layer has failed.
    pub async fn layer(
        &self,
        layer: &Layer,
        place: &Place,
        class: Class,
        job: &Job,
    ) -> Result<Arc<LayerRecord>, Failure> {
        let id = TaskId::new(&layer.blob, self.shared.searching.set());
        if let Some(record) = self.shared.recent().get(&id) {
            job.count(id, &record);
            return Ok(record);
        }
        loop {
            let answer = self.shared.wish(id, layer, place, class, job).await;
            match answer {
                Ok(record) => {
                    job.count(id, &record);
                    return Ok(record);
                }
                // Others looked for it elsewhere; nobody has looked here yet.
                Err(Failure { kind: FailureKind::Source(places), .. }) if !places.contains(place) => {}
                Err(failure) => {
                    job.count_failure(id);
                    return Err(failure);
                }
            }
        }
    }

    /// Takes the result of a task from a worker in this process, which spares reading it back.
    pub fn hand_over(&self, id: TaskId, record: Result<Arc<LayerRecord>, Failure>) {
        self.shared.settle(id, record);
    }

    /// The doors it works through.
    pub fn doors(&self) -> &Doors {
        &self.shared.doors
    }

    /// What the inventories that it plans for are made with.
    pub fn searching(&self) -> &Searching {
        &self.shared.searching
    }

    /// Tasks that are published and not done yet.
    pub fn in_flight(&self) -> usize {
        self.shared.options.window - self.shared.window.available_permits()
    }

    /// How many that may be.
    pub fn window(&self) -> usize {
        self.shared.options.window
    }

    /// For how long the oldest task of `class` has been published and is not done.
    pub fn oldest(&self, class: Class) -> Duration {
        self.shared.table().oldest(class).map_or(Duration::ZERO, |at| at.elapsed())
    }

    /// What waits in the queues; nothing where the broker cannot be asked. Where a queue of tasks is gone, so is what waited
    /// in it: that is told, and published again as soon as the queue is there.
    pub async fn depths(&self) -> Option<Depths> {
        let error = match self.shared.doors.queue.depths().await {
            Ok(depths) => return Some(depths),
            Err(error) => error,
        };
        if let QueueError::Topology { queue, .. } = &error {
            tracing::error!("a queue is gone: {error}");
            for class in Class::ALL.into_iter().filter(|class| queue.ends_with(&format!(".{}", class.name()))) {
                self.shared.table().lose(class);
            }
        }
        None
    }
}

impl Shared {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wish(&self, id: TaskId, layer: &Layer, place: &Place, class: Class, job: &Job) -> Outcome {
        let (sender, answer) = oneshot::channel();
        let task = || Task {
            job: job.id.clone(),
            trace: job.trace.clone(),
            ticket: ticket::new(class),
            rules: self.searching.added().map(|added| added.digest().to_owned()),
            ..Task::new(layer.blob.clone(), self.searching.set(), class, vec![place.clone()])
        };
        let wish = self.table().wish(id, class, place, task, sender);
        if let Wish::Plan = wish {
            // The loop ends with the planner, and whoever waits then is gone too.
            let _ = self.wishes.send((id, class));
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Failure { kind: FailureKind::Abandoned, reason: "the scan was ended".into() }))
    }

    /// Answers everybody who waits for a task.
    fn settle(&self, id: TaskId, outcome: Outcome) {
        if let Ok(record) = &outcome {
            self.recent().put(id, record);
        }
        let waiters = self.table().close(&id);
        for waiter in waiters {
            // Whoever has gone meanwhile needs no answer.
            let _ = waiter.send(outcome.clone());
        }
    }
}

/// Plans wishes as they come, together what came together.
async fn plan(shared: Arc<Shared>, mut wished: mpsc::UnboundedReceiver<(TaskId, Class)>) {
    let mut planning = JoinSet::new();
    let mut batch = Vec::with_capacity(BATCH);
    while wished.recv_many(&mut batch, BATCH).await > 0 {
        if batch.iter().all(|(_, class)| *class == Class::Bulk) {
            sleep(GATHERING).await;
            while batch.len() < BATCH
                && let Ok(wish) = wished.try_recv()
            {
                batch.push(wish);
            }
        }
        let ids = batch.drain(..).map(|(id, _)| id).collect();
        let shared = Arc::clone(&shared);
        planning.spawn(async move { publish::plan(&shared, ids).await });
        while planning.try_join_next().is_some() {}
    }
}
