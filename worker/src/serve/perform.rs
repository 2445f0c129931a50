//! One task: look, fetch, analyse, put, announce, acknowledge, in this order; each step may run twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lazaret::door::cache::Claim;
use lazaret::door::queue::{Delivery, Receipt, SharedQueue};
use lazaret::door::source::registry::Meter;
use lazaret::exposure::IdentityKey;
use lazaret::key;
use lazaret::record::{Cost, FailureKind, FailureRecord, LayerRecord};
use lazaret::task::{Announcement, Task};
use lazaret::telemetry::metrics as names;
use lazaret::wire::{self, Kind};

use super::fetch::{Fetch, Trouble};
use super::keep::Keep;
use crate::fingerprint;

/// How long a claim lasts unless it is renewed, which happens every third of it.
const CLAIM: Duration = Duration::from_secs(30);
/// How long a task waits before another attempt: the rungs of the ladder.
const PAUSES: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(600)];
/// How long a task for another build waits before the next worker sees whether it is one. The queue bounds how often that
/// happens: what does not count as an attempt is handed back some thirty times and then is a dead letter.
const OTHER_BUILD: Duration = Duration::from_secs(60);
/// How long a result is held while the store is away. The broker takes a delivery back after half an hour.
const HELD: Duration = Duration::from_secs(15 * 60);

/// What performing takes.
pub(super) struct Performer {
    pub(super) queue: SharedQueue,
    pub(super) keep: Keep,
    pub(super) fetch: Fetch,
    /// What the identities of secrets are keyed with.
    pub(super) key: Option<IdentityKey>,
    /// How often a task is tried.
    pub(super) attempts: u16,
}

/// How a delivery ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// There is a record now.
    Analysed,
    /// There was one.
    Reused,
    /// There never will be, and a record that says so.
    Failed,
    /// Another time; whether this one counted.
    Later(Duration, bool),
    /// It is somebody else's now.
    Lost,
}

impl Ending {
    /// For logs and metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Analysed => "analysed",
            Self::Reused => "reused",
            Self::Failed => "failed",
            Self::Later(_, true) => "later",
            Self::Later(_, false) => "handed-back",
            Self::Lost => "lost",
        }
    }
}

impl Performer {
    /// Performs the task of a delivery.
    pub(super) async fn perform(&self, delivery: Delivery<Task>) -> Ending {
        let Delivery { message: task, again, receipt } = delivery;
        // A build that is done before it has begun.
        #[cfg(feature = "mutants")]
        let receipt = if lazaret::door::mutant::is("ack-before-store") { Acked::of(receipt).await } else { receipt };
        let (started, meter) = (Instant::now(), Arc::new(Meter::default()));
        let key = key::layer(&task.blob.digest, &task.set);
        let claims = [(key.clone(), task.ticket.clone())];
        let ours = fingerprint::inventories(task.rules.as_deref(), self.key.as_ref()).to_string();
        let ending = if task.set == ours {
            let work = async {
                let is_new = self.is_new(&task, &claims).await && !again;
                self.work(&task, &key, is_new, &meter).await
            };
            tokio::select! {
                ending = unless_lost(&task, work, &meter, &*receipt) => ending,
                never = self.renew(&claims) => match never {},
            }
        } else {
            tracing::info!(wanted = task.set, ours, "handed back: a task for another build, or another identity key");
            Ending::Later(OTHER_BUILD, false)
        };
        self.conclude(&task, &claims, &ending, receipt).await;
        let (class, outcome, took) = (task.class.name(), ending.name(), started.elapsed());
        metrics::counter!(names::TASKS, "class" => class, "outcome" => outcome).increment(1);
        if ending == Ending::Analysed {
            metrics::histogram!(names::LAYER_DURATION, "class" => class).record(took);
        }
        metrics::counter!(names::PULLED_BYTES).increment(meter.bytes());
        metrics::counter!(names::REGISTRY_REQUESTS).increment(meter.requests());
        let (bytes, requests, seconds) = (meter.bytes(), meter.requests(), took.as_secs_f32());
        tracing::info!(outcome, bytes, requests, seconds, "task ended");
        ending
    }

    /// Whether there can be no record yet: whoever planned the task looked for one under the claim that it still holds, and
    /// nobody has tried since. Takes the claim where nobody has it.
    async fn is_new(&self, task: &Task, claims: &[(String, String)]) -> bool {
        let held = self.keep.cache.claim(claims, CLAIM).await;
        task.attempt == 0 && matches!(&held[..], [Claim::Held(holder)] if *holder == task.ticket)
    }

    async fn work(&self, task: &Task, key: &str, is_new: bool, meter: &Arc<Meter>) -> Ending {
        if !is_new {
            let held = tokio::time::timeout(HELD, self.keep.has(key)).await;
            match held {
                Ok(Ok(true)) => return Ending::Reused,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return self.later(task, &error, true),
                Err(away) => return self.later(task, &away, false),
            }
        }
        let (object, failure) = match self.fetch.analysed(task, meter).await {
            Ok(analysed) => {
                metrics::histogram!(names::LAYER_CPU).record(Duration::from_micros(analysed.cpu_micros));
                let (bytes, requests) = (meter.bytes(), meter.requests());
                let cost = Cost { job: task.job.clone(), bytes, requests, cpu_micros: analysed.cpu_micros };
                match wire::seal(Kind::LayerRecord, key, &LayerRecord { inventory: analysed.inventory, cost }) {
                    Ok(sealed) => (sealed, None),
                    Err(error) => (Vec::new(), Some((FailureKind::Resources, error.to_string()))),
                }
            }
            Err(trouble) => match self.judge(task, trouble) {
                Ok(ending) => return ending,
                Err(failure) => (Vec::new(), Some(failure)),
            },
        };
        let keeping = async {
            match failure {
                None => self.keep.put(key, object, true).await.map(|()| Ending::Analysed),
                Some((kind, reason)) => {
                    tracing::warn!(?kind, reason, "the layer failed");
                    let attempts = task.attempt.saturating_add(1);
                    let (job, bytes, requests) = (task.job.clone(), meter.bytes(), meter.requests());
                    let cost = Cost { job, bytes, requests, cpu_micros: 0 };
                    let record = FailureRecord { ticket: task.ticket.clone(), kind, reason, attempts, cost };
                    self.keep.put_failure(task, &record).await.map(|()| Ending::Failed)
                }
            }
        };
        match tokio::time::timeout(HELD, keeping).await {
            Ok(Ok(ending)) => ending,
            Ok(Err(error)) => self.later(task, &error, true),
            Err(away) => self.later(task, &away, false),
        }
    }

    /// Whether there will be another attempt after `trouble`, or what its record says.
    fn judge(&self, task: &Task, trouble: Trouble) -> Result<Ending, (FailureKind, String)> {
        let (kind, reason, pause) = match trouble {
            Trouble::Layer(reason) => return Err((FailureKind::Layer, reason)),
            Trouble::Resources(reason) => return Err((FailureKind::Resources, reason)),
            Trouble::Source(reason) => return Err((FailureKind::Source(task.places.clone()), reason)),
            Trouble::Later(reason, after) => (FailureKind::Source(task.places.clone()), reason, after),
            Trouble::Sandbox(reason) => (FailureKind::Resources, reason, None),
        };
        if task.attempt.saturating_add(1) >= self.attempts {
            return Err((kind, reason));
        }
        tracing::warn!(reason, "trying again later");
        Ok(Ending::Later(pause.unwrap_or_default().max(self.pause(task)), true))
    }

    fn pause(&self, task: &Task) -> Duration {
        let [.., longest] = PAUSES;
        PAUSES.get(usize::from(task.attempt)).copied().unwrap_or(longest)
    }

    /// Later, since the store could not be used.
    fn later(&self, task: &Task, error: &dyn std::fmt::Display, counted: bool) -> Ending {
        tracing::error!(%error, "the store cannot be used for this task");
        Ending::Later(self.pause(task), counted)
    }

    async fn renew(&self, claims: &[(String, String)]) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(CLAIM / 3).await;
            self.keep.cache.renew(claims, CLAIM).await;
        }
    }

    /// Tells whoever has to know.
    async fn conclude(&self, task: &Task, claims: &[(String, String)], ending: &Ending, receipt: Box<dyn Receipt>) {
        match ending {
            Ending::Analysed | Ending::Reused | Ending::Failed => {
                let done = !matches!(ending, Ending::Failed);
                self.queue.announce(&Announcement { task: task.id, done }).await;
                let ((), known) = tokio::join!(self.keep.cache.release(claims), receipt.ack());
                if !known {
                    // It comes again, to whomever: by then it is done already.
                    tracing::warn!("the broker does not know that the task is done");
                }
            }
            Ending::Later(pause, counted) => {
                // While it waits, nobody else needs to plan it.
                self.keep.cache.renew(claims, *pause + CLAIM).await;
                if let Err(error) = receipt.retry(*pause, *counted).await {
                    tracing::warn!(%error, "the task could not be put off; it comes again at once");
                }
            }
            Ending::Lost => {
                tracing::warn!("the task was lost to another worker: its connection is gone");
                // A worker that was frozen may have renewed the claim after the other was done with the task and had given it
                // back. Where there is no record yet, the other has use for the claim.
                let key = key::layer(&task.blob.digest, &task.set);
                if let Ok(Ok(true)) = tokio::time::timeout(CLAIM, self.keep.has(&key)).await {
                    self.keep.cache.release(claims).await;
                }
            }
        }
    }
}

/// The work, which is given up when the delivery is lost, unless it is nearly done: its result is as good as anybody's.
async fn unless_lost(task: &Task, work: impl Future<Output = Ending>, meter: &Meter, receipt: &dyn Receipt) -> Ending {
    tokio::pin!(work);
    tokio::select! {
        biased;
        ending = &mut work => return ending,
        () = receipt.lost() => {}
    }
    if task.blob.size > 0 && meter.bytes() / 4 >= task.blob.size / 5 { work.await } else { Ending::Lost }
}

/// A receipt that was acknowledged before its time.
#[cfg(feature = "mutants")]
struct Acked;

#[cfg(feature = "mutants")]
impl Acked {
    async fn of(receipt: Box<dyn Receipt>) -> Box<dyn Receipt> {
        receipt.ack().await;
        Box::new(Self)
    }
}

#[cfg(feature = "mutants")]
#[async_trait::async_trait]
impl Receipt for Acked {
    async fn ack(self: Box<Self>) -> bool {
        true
    }

    async fn retry(self: Box<Self>, _: Duration, _: bool) -> Result<(), lazaret::door::queue::QueueError> {
        Ok(())
    }

    async fn reject(self: Box<Self>) {}

    async fn lost(&self) {
        std::future::pending().await
    }
}
