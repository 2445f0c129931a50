//! What a worker finds in the store, and what it leaves there. While the store is away, results are held and tried again.

use std::sync::Arc;

use lazaret::door::cache::SharedCache;
use lazaret::door::store::{SharedStore, StoreError};
use lazaret::key;
use lazaret::record::{FailureRecord, LayerRecord};
use lazaret::task::Task;
use lazaret::wire::{self, Kind};

use super::breaker::Breaker;

/// How often one object is tried while the store is well otherwise.
const TRIES: usize = 5;

/// Store, and the cache in front of it.
pub(super) struct Keep {
    pub(super) store: SharedStore,
    pub(super) cache: SharedCache,
    pub(super) breaker: Arc<Breaker>,
}

impl Keep {
    /// Whether there is a record of the layer already, one that can be read: garbage would be asked for again and again.
    pub(super) async fn has(&self, key: &str) -> Result<bool, StoreError> {
        let reads = |object: &[u8]| wire::open::<LayerRecord>(Kind::LayerRecord, key, object).is_ok();
        let cached = self.cache.get(&[key.to_owned()]).await.into_iter().next().flatten();
        if cached.is_some_and(|object| reads(&object)) {
            return Ok(true);
        }
        match self.get(key).await?.filter(|object| reads(object)) {
            Some(object) => {
                self.cache.put(key, &object).await;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Keeps an object in the store, and then in the cache where it `belongs` there.
    pub(super) async fn put(&self, key: &str, object: Vec<u8>, belongs: bool) -> Result<(), StoreError> {
        let mut tries = 1;
        while let Err(error) = self.store.put(key, object.clone()).await {
            self.after(error, &mut tries).await?;
        }
        if belongs {
            self.cache.put(key, &object).await;
        }
        Ok(())
    }

    /// Keeps the record of a failure.
    pub(super) async fn put_failure(&self, task: &Task, failure: &FailureRecord) -> Result<(), StoreError> {
        let object = serde_json::to_vec(failure).unwrap_or_default();
        self.put(&key::failure(&task.blob.digest, &task.id), object, false).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut tries = 1;
        loop {
            match self.store.get(key).await {
                Ok(object) => return Ok(object),
                Err(error) => self.after(error, &mut tries).await?,
            }
        }
    }

    /// Waits for the time to try again after `error`; gives it back where there is no use in that.
    async fn after(&self, error: StoreError, tries: &mut usize) -> Result<(), StoreError> {
        if matches!(error, StoreError::Key(_) | StoreError::Url(_)) || *tries >= TRIES {
            return Err(error);
        }
        *tries += 1;
        self.breaker.trip(&error);
        self.breaker.closed().await;
        Ok(())
    }
}
