//! Planning a batch of wishes: taken from the cache, from the store, or published under a claim.

use std::collections::HashMap;
use std::sync::Arc;

use lazaret::door::cache::Claim;
use lazaret::door::queue::QueueError;
use lazaret::key;
use lazaret::task::{Class, Task, TaskId};
use tokio::time::Instant;

use super::open::Stage;
use super::{Shared, look};

/// Records that are fetched together; each is a few kilobytes, and may be a mebibyte.
pub(super) const FETCH: usize = 128;

pub(super) async fn plan(shared: &Arc<Shared>, ids: Vec<TaskId>) {
    for ids in ids.chunks(FETCH) {
        let tasks = shared.table().tasks(ids);
        let mut missing = look::fetch(shared, tasks).await;
        // The largest first, so that no worker is left alone with it at the end.
        missing.sort_by(|a, b| b.blob.size.cmp(&a.blob.size).then_with(|| a.id.cmp(&b.id)));
        publish(shared, missing).await;
    }
}

/// Publishes the tasks, those excepted that somebody else has claimed.
pub(super) async fn publish(shared: &Arc<Shared>, tasks: Vec<Task>) {
    let mut admitted = Vec::with_capacity(tasks.len());
    for task in tasks {
        if admit(shared, &task).await {
            admitted.push(task);
        }
    }
    if admitted.is_empty() {
        return;
    }
    let claims: Vec<_> = admitted.iter().map(key::claim).collect();
    let answers = shared.doors.cache.claim(&claims, shared.options.unconfirmed_claim).await;
    let ours = ours(shared, admitted, answers);
    let ours = without_done(shared, ours).await;
    if ours.is_empty() {
        return;
    }
    let confirmed = shared.doors.queue.publish(&ours).await;
    keep_claims(shared, &ours, &confirmed).await;
    let now = Instant::now();
    let mut table = shared.table();
    for (task, confirmed) in ours.iter().zip(confirmed) {
        let Some(open) = table.get_mut(&task.id) else { continue };
        match confirmed {
            Ok(()) => open.stage = Stage::Published(now),
            Err(error) => {
                // The outcome is unknown. The timer plans it again.
                open.stage = Stage::Due;
                tracing::warn!(task = %task.id, "cannot publish: {error}");
            }
        }
    }
}

/// Those of `tasks` that are ours to publish, by the answers to the wish for their claims.
fn ours(shared: &Shared, tasks: Vec<Task>, answers: Vec<Claim>) -> Vec<Task> {
    let mut ours = Vec::with_capacity(tasks.len());
    let mut table = shared.table();
    for (task, answer) in tasks.into_iter().zip(answers) {
        let Some(open) = table.get_mut(&task.id) else { continue };
        match answer {
            Claim::Held(holder) if holder != task.ticket => {
                if open.is_held(holder.clone()) {
                    ours.push(Task { ticket: holder, class: Class::Interactive, ..task });
                } else if !matches!(open.stage, Stage::Awaited(_)) {
                    open.stage = Stage::Awaited(Instant::now());
                }
            }
            // Nobody can say now whether the other still has it; it did a moment ago.
            Claim::Unknown if matches!(open.stage, Stage::Awaited(at) if at.elapsed() < shared.options.patience) => {}
            _ => ours.push(task),
        }
    }
    ours
}

/// Settles those that somebody else did between our look and our claim. From here on the claim says that there is no record,
/// and the worker need not look for one.
async fn without_done(shared: &Arc<Shared>, tasks: Vec<Task>) -> Vec<Task> {
    let keys: Vec<String> = tasks.iter().map(|task| key::layer(&task.blob.digest, &task.set)).collect();
    let present = shared.doors.cache.present(&keys).await;
    let (done, missing): (Vec<_>, Vec<_>) = tasks.into_iter().zip(present).partition(|(_, present)| *present);
    let mut missing: Vec<Task> = missing.into_iter().map(|(task, _)| task).collect();
    if !done.is_empty() {
        let done: Vec<Task> = done.into_iter().map(|(task, _)| task).collect();
        let mut claims: HashMap<_, _> = done.iter().map(|task| (task.id, key::claim(task))).collect();
        let unreadable = look::fetch(shared, done).await;
        for task in &unreadable {
            claims.remove(&task.id);
        }
        shared.doors.cache.release(&claims.into_values().collect::<Vec<_>>()).await;
        missing.extend(unreadable);
    }
    missing
}

/// The claims of what the broker has now last until a worker takes it up.
async fn keep_claims(shared: &Shared, published: &[Task], confirmed: &[Result<(), QueueError>]) {
    let kept = published.iter().zip(confirmed).filter(|(_, confirmed)| confirmed.is_ok());
    let claims: Vec<_> = kept.map(|(task, _)| key::claim(task)).collect();
    if !claims.is_empty() {
        shared.doors.cache.extend(&claims, shared.options.claim).await;
    }
}

/// Waits for a place in the window; what somebody waits for goes past it.
async fn admit(shared: &Arc<Shared>, task: &Task) -> bool {
    if task.class == Class::Interactive {
        return true;
    }
    if shared.table().get_mut(&task.id).is_some_and(|open| open.has_permit()) {
        return true;
    }
    let Ok(permit) = Arc::clone(&shared.window).acquire_owned().await else { return false };
    match shared.table().get_mut(&task.id) {
        Some(open) => {
            open.hold(permit);
            true
        }
        None => false,
    }
}
