//! The doors of a worker, opened by URL. The one place that knows how.

use lazaret::door::cache::{self, CacheError, CacheSettings, SharedCache};
use lazaret::door::queue::{self, QueueError, QueueSettings, SharedQueue};
use lazaret::door::store::{self, SharedStore, StoreError};

use super::settings::Settings;

/// Queue, cache and store.
#[derive(Clone)]
pub struct Doors {
    /// Tasks come from here.
    pub queue: SharedQueue,
    /// In front of the store.
    pub cache: SharedCache,
    /// Inventories go here.
    pub store: SharedStore,
}

/// A door that does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The queue.
    #[error("--queue: {0}")]
    Queue(#[from] QueueError),
    /// The cache.
    #[error("--cache: {0}")]
    Cache(#[from] CacheError),
    /// The store.
    #[error("--store: {0}")]
    Store(#[from] StoreError),
}

/// Opens the doors that `settings` name. A server that is merely away now is no error.
///
/// # Errors
/// [`DoorError`]: a URL that is none, or settings that make no door.
pub async fn open(settings: &Settings) -> Result<Doors, DoorError> {
    let queue = QueueSettings { name: "lazaret-worker".to_owned(), ..QueueSettings::default() };
    Ok(Doors {
        store: store::open(&settings.store).await?,
        cache: cache::open(
            &settings.cache,
            CacheSettings { key: settings.cache_key.clone(), ..CacheSettings::default() },
        )?,
        queue: queue::open(&settings.queue, &queue).await?,
    })
}
