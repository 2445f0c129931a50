//! One queue in memory: entries in order, and consumers that wait for them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

/// A message that waits.
pub(super) struct Entry<T> {
    pub(super) message: T,
    /// How often it was delivered and came back without a word.
    pub(super) deliveries: u16,
    /// How often it was handed back.
    pub(super) handed_back: u16,
}

/// Entries in order.
pub(super) struct Line<T> {
    entries: Mutex<VecDeque<Entry<T>>>,
    /// One permit or wake-up for each entry that was appended; a consumer that takes an entry without waiting leaves
    /// at most one too many, which costs one look.
    appended: Notify,
    /// The turn to be the active consumer, where there is to be only one.
    active: Arc<Semaphore>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { entries: Mutex::default(), appended: Notify::new(), active: Arc::new(Semaphore::new(1)) }
    }
}

impl<T> Line<T> {
    /// Appends messages.
    pub(super) fn append(&self, messages: impl Iterator<Item = T>) {
        let mut entries = self.entries();
        let before = entries.len();
        entries.extend(messages.map(|message| Entry { message, deliveries: 0, handed_back: 0 }));
        let added = entries.len() - before;
        drop(entries);
        (0..added).for_each(|_| self.appended.notify_one());
    }

    /// Puts an entry back that was taken before; it goes first.
    pub(super) fn give_back(&self, entry: Entry<T>) {
        self.entries().push_front(entry);
        self.appended.notify_one();
    }

    /// Takes the first entry, once there is one.
    pub(super) async fn take(&self) -> Entry<T> {
        loop {
            if let Some(entry) = self.entries().pop_front() {
                return entry;
            }
            self.appended.notified().await;
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.entries().len() as u64
    }

    pub(super) fn active(&self) -> &Arc<Semaphore> {
        &self.active
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
