//! Ownership of jobs: each shard of the queue has one active consumer, and whoever it is runs the shard's jobs. A job stays
//! unacknowledged until it has ended; when its owner dies, the broker gives it to the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lazaret::door::queue::{Delivery, Receipt};
use lazaret::telemetry::metrics as names;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

use super::{Farm, run, stored};

/// Jobs of one shard that run at a time.
const JOBS: u16 = 16;
/// A delivery is exchanged for a new one before the broker takes it back: its time-out is 30 minutes by default.
const RENEW: Duration = Duration::from_secs(600);
/// After which time a job that met trouble is taken up again.
const AGAIN: Duration = Duration::from_secs(3);
/// How often jobs are looked for that nobody was told of.
const LOOK: Duration = Duration::from_secs(60);

/// The jobs that run here, each with the way to hand it further deliveries of itself.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Deliveries>>);

type Deliveries = HashMap<String, mpsc::UnboundedSender<Box<dyn Receipt>>>;

impl Running {
    fn jobs(&self) -> MutexGuard<'_, Deliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: String, further: mpsc::UnboundedSender<Box<dyn Receipt>>) {
        let mut jobs = self.jobs();
        jobs.insert(id, further);
        metrics::gauge!(names::JOBS_RUNNING).set(jobs.len() as f64);
    }

    fn end(&self, id: &str) {
        let mut jobs = self.jobs();
        jobs.remove(id);
        metrics::gauge!(names::JOBS_RUNNING).set(jobs.len() as f64);
    }
}

/// Runs jobs as long as it is not dropped.
pub(super) fn start(farm: &Arc<Farm>) -> JoinSet<()> {
    let running = Running::default();
    let mut tasks = JoinSet::new();
    for shard in 0..farm.planner.doors().queue.job_shards() {
        tasks.spawn(own(Arc::clone(farm), shard, running.clone()));
    }
    tasks.spawn(remind(Arc::clone(farm)));
    tasks
}

async fn own(farm: Arc<Farm>, shard: u16, running: Running) {
    let mut jobs = JoinSet::new();
    loop {
        match farm.planner.doors().queue.jobs(shard, JOBS).await {
            Ok(mut deliveries) => {
                while let Ok(Delivery { message: id, receipt, .. }) = deliveries.next().await {
                    while jobs.try_join_next().is_some() {}
                    if !stored::is_id(&id) {
                        tracing::warn!("a message that names no job is dropped");
                        receipt.ack().await;
                        continue;
                    }
                    let again = match running.jobs().get(&id) {
                        Some(job) => job.send(receipt).map_err(|unsent| unsent.0),
                        None => Err(receipt),
                    };
                    if let Err(receipt) = again {
                        let (sender, receipts) = mpsc::unbounded_channel();
                        running.begin(id.clone(), sender);
                        jobs.spawn(hold(Arc::clone(&farm), id, receipt, receipts, running.clone()));
                    }
                }
            }
            Err(error) => tracing::warn!(shard, "cannot take jobs: {error}"),
        }
        sleep(AGAIN).await;
    }
}

/// Runs one job while its delivery is ours.
async fn hold(
    farm: Arc<Farm>,
    id: String,
    receipt: Box<dyn Receipt>,
    mut receipts: mpsc::UnboundedReceiver<Box<dyn Receipt>>,
    running: Running,
) {
    let mut held = vec![receipt];
    let mut renewal = Instant::now() + RENEW;
    let job = async {
        while let Err(error) = run::run(&farm, &id).await {
            tracing::warn!(job = id, "it is taken up again soon: {error}");
            sleep(AGAIN).await;
        }
    };
    let mut job = std::pin::pin!(job);
    let ended = loop {
        let Some(newest) = held.last() else { break false };
        tokio::select! {
            () = &mut job => break true,
            () = newest.lost() => {
                held.pop();
                if held.is_empty() {
                    tracing::warn!(job = id, "the broker has given it to another coordinator");
                    break false;
                }
            }
            Some(receipt) = receipts.recv() => {
                // The newest is held, the others are done with.
                for old in held.drain(..) {
                    old.ack().await;
                }
                held.push(receipt);
            }
            () = sleep_until(renewal) => {
                renewal = Instant::now() + RENEW;
                if let Err(error) = farm.planner.doors().queue.publish_job(&id).await {
                    tracing::warn!(job = id, "its delivery cannot be renewed: {error}");
                }
            }
        }
    };
    running.end(&id);
    if ended {
        receipts.close();
        while let Some(receipt) = receipts.recv().await {
            held.push(receipt);
        }
        for receipt in held {
            receipt.ack().await;
        }
    }
}

/// Tells the queue of every job that has not ended, again and again: a purged queue costs time, never a job.
async fn remind(farm: Arc<Farm>) {
    let mut timer = interval(farm.options.remind.unwrap_or(LOOK));
    loop {
        timer.tick().await;
        let doors = farm.planner.doors();
        let open = match run::all(&doors.store, "jobs/open/").await {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!("cannot look for jobs: {error}");
                continue;
            }
        };
        for key in open {
            let Some(id) = key.strip_prefix("jobs/open/") else { continue };
            if let Err(error) = doors.queue.publish_job(id).await {
                tracing::warn!(job = id, "cannot tell of it: {error}");
                break;
            }
        }
    }
}
