//! The doors of a farm, as options.

use clap::Args;
use lazaret::door::cache::{self, CacheSettings};
use lazaret::door::queue::{self, QueueSettings, SharedQueue};
use lazaret::door::source::registry::Secret;
use lazaret::door::store;

use super::{Failure, settings};
use crate::doors::Doors;

/// Where a farm keeps what.
#[derive(Debug, Args)]
#[command(next_help_heading = "Doors")]
pub(super) struct DoorArgs {
    /// The queue: amqp://HOST[,HOST…], or memory: for workers in this process
    #[arg(long, value_name = "URL", env = "LAZARET_QUEUE", hide_env_values = true, default_value = "memory:")]
    queue: String,
    /// The cache in front of the store: redis://HOST, redis+cluster://…, redis+sentinel://…, or none:
    #[arg(long, value_name = "URL", env = "LAZARET_CACHE", hide_env_values = true, default_value = "none:")]
    cache: String,
    /// The store: s3://BUCKET/PREFIX or file:PATH [default: file: below the user's cache directory]
    #[arg(long, value_name = "URL", env = "LAZARET_STORE", hide_env_values = true)]
    store: Option<String>,
}

impl DoorArgs {
    /// Those of a farm that is not described by options.
    pub(super) fn new(queue: String, cache: String, store: String) -> Self {
        Self { queue, cache, store: Some(store) }
    }

    /// Opens all three.
    pub(super) async fn open(&self) -> Result<Doors, Failure> {
        let store = self.store.clone().or_else(settings::store_url).unwrap_or_else(|| "memory:".to_owned());
        let store = store::open(&store).await.map_err(Failure::new)?;
        let key = std::env::var("LAZARET_CACHE_KEY").ok().filter(|key| !key.is_empty()).map(Secret::new);
        let cache = cache::open(&self.cache, CacheSettings { key, ..CacheSettings::default() });
        let cache = cache.map_err(Failure::new)?;
        Ok(Doors { queue: open_queue(&self.queue).await?, cache, store })
    }

    /// Whether tasks never leave this process.
    pub(super) fn is_embedded(&self) -> bool {
        self.queue == "memory:"
    }
}

/// Opens the queue alone.
pub(super) async fn open_queue(url: &str) -> Result<SharedQueue, Failure> {
    let settings = QueueSettings { name: "lazaret".into(), ..QueueSettings::default() };
    queue::open(url, &settings).await.map_err(Failure::new)
}
