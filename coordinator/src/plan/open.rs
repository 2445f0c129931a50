//! The wishes that are open, and who waits for each.

use std::collections::HashMap;
use std::sync::Arc;

use lazaret::record::LayerRecord;
use lazaret::task::{Class, MAX_PLACES, Place, Task, TaskId};
use lazaret::telemetry::metrics as names;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{Failure, Instant, ticket};

pub(super) type Outcome = Result<Arc<LayerRecord>, Failure>;

#[derive(Default)]
pub(super) struct Table(HashMap<TaskId, Open>);

/// An open wish.
pub(super) struct Open {
    pub(super) task: Task,
    /// Tickets whose failure is ours too: those of others who claimed the layer first.
    pub(super) others: Vec<String>,
    pub(super) stage: Stage,
    /// When it was last looked for, in the cache and in the store.
    pub(super) looked: Instant,
    pub(super) looked_in_store: Instant,
    waiters: Vec<oneshot::Sender<Outcome>>,
    /// Its place in the window.
    permit: Option<OwnedSemaphorePermit>,
}

/// How far a wish is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Being planned: looked up, waiting for a place in the window, being published.
    Planning,
    /// Publishing did not succeed. It is planned again.
    Due,
    /// Confirmed by the broker.
    Published(Instant),
    /// Somebody else has the claim, and published it.
    Awaited(Instant),
}

/// What a wish comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is to be planned.
    Plan,
    /// It is under way already.
    Wait,
}

impl Table {
    /// Adds a waiter.
    pub(super) fn wish(
        &mut self,
        id: TaskId,
        class: Class,
        place: &Place,
        task: impl FnOnce() -> Task,
        waiter: oneshot::Sender<Outcome>,
    ) -> Wish {
        let now = Instant::now();
        if let Some(open) = self.0.get_mut(&id) {
            open.waiters.push(waiter);
            if open.task.places.len() < MAX_PLACES && !open.task.places.contains(place) {
                open.task.places.push(place.clone());
            }
            // It waits behind the bulk: the urgent one goes ahead of it.
            let urgent = class == Class::Interactive && open.task.class == Class::Bulk;
            if urgent {
                open.task.class = Class::Interactive;
            }
            return if urgent && open.stage != Stage::Planning {
                open.stage = Stage::Planning;
                Wish::Plan
            } else {
                Wish::Wait
            };
        }
        let open = Open {
            task: task(),
            others: Vec::new(),
            stage: Stage::Planning,
            looked: now,
            looked_in_store: now,
            waiters: vec![waiter],
            permit: None,
        };
        self.0.insert(id, open);
        Wish::Plan
    }

    pub(super) fn get_mut(&mut self, id: &TaskId) -> Option<&mut Open> {
        self.0.get_mut(id)
    }

    /// The tasks of these wishes, without those that have been answered or that nobody waits for any more.
    pub(super) fn tasks(&mut self, ids: &[TaskId]) -> Vec<Task> {
        ids.iter().filter_map(|id| Some(self.0.get(id)?.task.clone())).collect()
    }

    /// Forgets the wishes that nobody waits for any more, and gives the ids of those that `wanted` takes.
    pub(super) fn select(&mut self, mut wanted: impl FnMut(&mut Open) -> bool) -> Vec<TaskId> {
        self.0.retain(|_, open| !open.waiters.iter().all(oneshot::Sender::is_closed));
        self.0.iter_mut().filter_map(|(id, open)| wanted(open).then_some(*id)).collect()
    }

    /// What was published to the queue of `class` is not there any more.
    pub(super) fn lose(&mut self, class: Class) {
        for open in self.0.values_mut().filter(|open| open.task.class == class) {
            if matches!(open.stage, Stage::Published(_)) {
                open.stage = Stage::Due;
            }
        }
    }

    /// When the oldest task of `class` that is still waited for was published.
    pub(super) fn oldest(&self, class: Class) -> Option<Instant> {
        self.0.values().filter(|open| open.task.class == class).filter_map(Open::published).min()
    }

    /// Answered: those who waited.
    pub(super) fn close(&mut self, id: &TaskId) -> Vec<oneshot::Sender<Outcome>> {
        let Some(open) = self.0.remove(id) else { return Vec::new() };
        if let Some(published) = open.published() {
            metrics::histogram!(names::TASK_DURATION, "class" => open.task.class.name()).record(published.elapsed());
        }
        open.waiters
    }
}

impl Open {
    /// Whether a failure with this ticket answers the wish.
    pub(super) fn has_ticket(&self, ticket: &str) -> bool {
        self.task.ticket == ticket || self.others.iter().any(|other| other == ticket)
    }

    /// The claim is somebody else's, by their ticket. Whether a copy with that ticket should go to the interactive queue,
    /// since theirs waits in the bulk queue.
    pub(super) fn is_held(&mut self, holder: String) -> bool {
        let urgent =
            self.task.class == Class::Interactive && ticket::is_bulk(&holder) && !self.others.contains(&holder);
        if !self.others.contains(&holder) {
            self.others.push(holder);
        }
        urgent
    }

    /// When it was published, as far as it was by us and nobody has told what became of it.
    fn published(&self) -> Option<Instant> {
        match self.stage {
            Stage::Published(at) => Some(at),
            _ => None,
        }
    }

    /// Since when somebody is supposed to work on it, if anybody is.
    pub(super) fn under_way_since(&self) -> Option<Instant> {
        match self.stage {
            Stage::Published(since) | Stage::Awaited(since) => Some(since),
            Stage::Planning | Stage::Due => None,
        }
    }

    pub(super) fn hold(&mut self, permit: OwnedSemaphorePermit) {
        self.permit = Some(permit);
    }

    pub(super) fn has_permit(&self) -> bool {
        self.permit.is_some()
    }
}
