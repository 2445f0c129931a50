//! Looking for records: where an announcement says so, and where the timer does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use futures_util::{FutureExt as _, StreamExt as _};
use lazaret::door::queue::{DeadLetter, Delivery};
use lazaret::key;
use lazaret::record::{FailureKind, FailureRecord, LayerRecord};
use lazaret::task::{Announcement, Task, TaskId};
use lazaret::telemetry::metrics as names;
use lazaret::wire::{self, Kind};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::open::{Open, Stage};
use super::{Announced, BATCH, Failure, Shared, publish};

/// Requests to the store that are under way at once.
const AT_ONCE: usize = 32;
/// How many unknown objects are worth a question whether they exist, before they are fetched.
const ASK_FIRST: usize = 16;
/// Announcements that are dealt with together.
const TOGETHER: usize = 256;

/// Settles those tasks of which there is a record, and gives the others back.
pub(super) async fn fetch(shared: &Arc<Shared>, tasks: Vec<Task>) -> Vec<Task> {
    let keys: Vec<String> = tasks.iter().map(|task| key::layer(&task.blob.digest, &task.set)).collect();
    let cached = shared.doors.cache.get(&keys).await;
    let mut unknown = Vec::new();
    for ((task, key), cached) in tasks.into_iter().zip(keys).zip(cached) {
        match cached.and_then(|bytes| decode(&key, &bytes)) {
            Some(record) => shared.settle(task.id, Ok(record)),
            None => unknown.push((task, key)),
        }
    }
    from_store(shared, unknown).await
}

async fn from_store(shared: &Arc<Shared>, unknown: Vec<(Task, String)>) -> Vec<Task> {
    let mut absent = Vec::new();
    let mut there = unknown;
    if there.len() > ASK_FIRST {
        let keys: Vec<String> = there.iter().map(|(_, key)| key.clone()).collect();
        match shared.doors.store.present(&keys).await {
            Ok(present) => {
                let (found, lacking): (Vec<_>, Vec<_>) =
                    there.into_iter().zip(present).partition(|(_, present)| *present);
                absent.extend(lacking.into_iter().map(|((task, _), _)| task));
                there = found.into_iter().map(|(task, _)| task).collect();
            }
            Err(error) => tracing::warn!("cannot ask the store: {error}"),
        }
    }
    let fetched = stream::iter(there).map(|(task, key)| async move {
        let bytes = shared.doors.store.get(&key).await;
        (task, key, bytes)
    });
    let mut fetched = fetched.buffer_unordered(AT_ONCE);
    while let Some((task, key, bytes)) = fetched.next().await {
        let bytes = bytes.unwrap_or_else(|error| {
            tracing::warn!("cannot read from the store: {error}");
            None
        });
        match bytes.as_deref().and_then(|bytes| Some((decode(&key, bytes)?, bytes))) {
            Some((record, bytes)) => {
                shared.settle(task.id, Ok(record));
                shared.doors.cache.put(&key, bytes).await;
            }
            None => absent.push(task),
        }
    }
    absent
}

/// What does not decode counts as absent: it is made again.
fn decode(key: &str, bytes: &[u8]) -> Option<Arc<LayerRecord>> {
    match wire::open::<LayerRecord>(Kind::LayerRecord, key, bytes) {
        Ok(record) => Some(Arc::new(record)),
        Err(error) => {
            tracing::warn!(key, "a record is not usable: {error}");
            None
        }
    }
}

/// Settles those tasks that have failed by one of the tickets we wait for.
async fn failures(shared: &Arc<Shared>, tasks: Vec<Task>) {
    let read = stream::iter(tasks).map(|task| async move {
        let bytes = shared.doors.store.get(&key::failure(&task.blob.digest, &task.id)).await;
        let record: FailureRecord = serde_json::from_slice(&bytes.ok()??).ok()?;
        Some((task.id, record))
    });
    let mut read = read.buffer_unordered(AT_ONCE);
    while let Some(found) = read.next().await {
        let Some((id, record)) = found else { continue };
        let concerns = shared.table().get_mut(&id).is_some_and(|open| open.has_ticket(&record.ticket));
        if concerns {
            let reason = lazaret::text::visible(&record.reason).as_ref().into();
            shared.settle(id, Err(Failure { kind: record.kind, reason }));
        }
    }
}

/// Looks where announcements say so.
pub(super) async fn listen(shared: Arc<Shared>) {
    loop {
        match shared.doors.queue.announcements().await {
            Ok(mut announcements) => {
                while let Ok(announced) = announcements.next().await {
                    let mut ended = Vec::with_capacity(TOGETHER);
                    ended.extend(of_interest(&shared, announced));
                    while ended.len() < TOGETHER
                        && let Some(Ok(announced)) = announcements.next().now_or_never()
                    {
                        ended.extend(of_interest(&shared, announced));
                    }
                    if !ended.is_empty() {
                        let shared = Arc::clone(&shared);
                        tokio::spawn(async move { look(&shared, ended).await });
                    }
                }
            }
            Err(error) => tracing::warn!("cannot listen to announcements: {error}"),
        }
        sleep(shared.options.look).await;
    }
}

/// The announcement, if somebody waits for it. After a gap everything is looked for.
fn of_interest(shared: &Shared, announced: Announced) -> Vec<Announcement> {
    match announced {
        Announced::Ended(ended) => shared.table().get_mut(&ended.task).map(|_| ended).into_iter().collect(),
        Announced::Missed => {
            let mut table = shared.table();
            table.select(|_| true).into_iter().map(|task| Announcement { task, done: true }).collect()
        }
    }
}

async fn look(shared: &Arc<Shared>, ended: Vec<Announcement>) {
    let (done, failed): (Vec<_>, Vec<_>) = ended.into_iter().partition(|ended| ended.done);
    let ids = |ended: Vec<Announcement>| -> Vec<TaskId> { ended.into_iter().map(|ended| ended.task).collect() };
    let done = shared.table().tasks(&ids(done));
    fetch(shared, done).await;
    let failed = shared.table().tasks(&ids(failed));
    failures(shared, failed).await;
}

/// Looks again and again, and plans again what is due.
pub(super) async fn again(shared: Arc<Shared>) {
    // A build that believes in announcements.
    #[cfg(feature = "mutants")]
    if lazaret::door::mutant::is("no-reconciler") {
        return;
    }
    let mut timer = interval(shared.options.look);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    timer.tick().await;
    loop {
        timer.tick().await;
        let now = Instant::now();
        let options = &shared.options;
        let due = shared.table().select(|open| {
            let due = is_due(open, now - open.looked, now, options.look, options.look_in_store);
            if due {
                open.looked = now;
            }
            due || open.stage == Stage::Due
        });
        if due.is_empty() {
            continue;
        }
        // Each round trip is one that the cache answers within its budget, and that lets others in between.
        for due in due.chunks(BATCH) {
            in_cache(&shared, due).await;
        }
        let due = shared.table().select(|open| {
            let due = is_due(open, now - open.looked_in_store, now, options.look_in_store, options.patience / 2);
            if due {
                open.looked_in_store = now;
            }
            due
        });
        for due in due.chunks(publish::FETCH) {
            let tasks = shared.table().tasks(due);
            let absent = fetch(&shared, tasks).await;
            failures(&shared, absent).await;
        }
        let due = shared.table().select(|open| match open.stage {
            Stage::Planning => false,
            Stage::Due | Stage::Awaited(_) => true,
            Stage::Published(at) => now - at >= options.patience,
        });
        let tasks = shared.table().tasks(&due);
        publish::publish(&shared, tasks).await;
    }
}

/// Whether another look is due, so long after the last one: the longer it is under way, the later. Most of a window waits far
/// back in a queue, and whatever ends is announced.
fn is_due(open: &Open, since_last: Duration, now: Instant, least: Duration, most: Duration) -> bool {
    open.under_way_since().is_some_and(|since| since_last >= ((now - since) / 4).min(most).max(least))
}

/// Looks in the cache for those that are under way, payload only where there is one.
async fn in_cache(shared: &Arc<Shared>, due: &[TaskId]) {
    let tasks = shared.table().tasks(due);
    let keys: Vec<String> = tasks.iter().map(|task| key::layer(&task.blob.digest, &task.set)).collect();
    let present = shared.doors.cache.present(&keys).await;
    let found: Vec<Task> =
        tasks.into_iter().zip(present).filter_map(|(task, present)| present.then_some(task)).collect();
    if !found.is_empty() {
        fetch(shared, found).await;
    }
}

/// Turns dead letters into records of failure, so that nobody waits for them for ever.
pub(super) async fn bury(shared: Arc<Shared>) {
    loop {
        match shared.doors.queue.dead_letters().await {
            Ok(mut letters) => {
                while let Ok(Delivery { message, receipt, .. }) = letters.next().await {
                    let reason = known(&message.reason);
                    if buried(&shared, message).await {
                        metrics::counter!(names::DEAD_LETTERS, "reason" => reason).increment(1);
                        receipt.ack().await;
                    } else {
                        // Unacknowledged it stays where it is, and comes again with the next consumer.
                        break;
                    }
                }
            }
            Err(error) => tracing::warn!("cannot read the dead letters: {error}"),
        }
        sleep(shared.options.look).await;
    }
}

async fn buried(shared: &Arc<Shared>, DeadLetter { task, reason }: DeadLetter) -> bool {
    let Some(task) = task else {
        tracing::error!("a message that is no task was among the dead letters ({reason}); it is dropped");
        return true;
    };
    tracing::error!(task = %task.id, blob = %task.blob.digest, "given up: {reason}");
    let record = FailureRecord {
        ticket: task.ticket.clone(),
        kind: FailureKind::Abandoned,
        reason: "given up: it was delivered too often, and no worker lived to say why".into(),
        attempts: task.attempt,
        cost: Default::default(),
    };
    let key = key::failure(&task.blob.digest, &task.id);
    let bytes = serde_json::to_vec(&record).unwrap_or_default();
    if let Err(error) = shared.doors.store.put(&key, bytes).await {
        tracing::warn!("cannot keep a record of failure: {error}");
        return false;
    }
    shared.doors.cache.release(&[key::claim(&task)]).await;
    shared.doors.queue.announce(&Announcement { task: task.id, done: false }).await;
    true
}

/// A reason as a label, of which there are few whatever the broker says.
fn known(reason: &str) -> &'static str {
    const REASONS: [&str; 4] = ["rejected", "delivery_limit", "expired", "maxlen"];
    REASONS.into_iter().find(|known| *known == reason).unwrap_or("other")
}
