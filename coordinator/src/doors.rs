//! The doors that a pipeline works through.

use lazaret::door::cache::SharedCache;
use lazaret::door::queue::SharedQueue;
use lazaret::door::store::SharedStore;

/// Queue, cache and store, each opened.
#[derive(Clone)]
pub struct Doors {
    /// Where tasks go.
    pub queue: SharedQueue,
    /// What stands in front of the store.
    pub cache: SharedCache,
    /// What is known.
    pub store: SharedStore,
}
