//! A store in memory, for scans that leave nothing behind.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{PAGE, Store, StoreError, Version, check, check_prefix};

/// Objects in memory.
#[derive(Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<String, Object>>,
    /// The last version that was given: none is given twice, also where an object was removed in between.
    version: AtomicU64,
}

struct Object {
    bytes: Vec<u8>,
    version: u64,
}

impl MemoryStore {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn object(&self, bytes: Vec<u8>) -> Object {
        Object { bytes, version: self.version.fetch_add(1, Ordering::Relaxed) }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        check(key)?;
        Ok(self.objects().get(key).map(|object| object.bytes.clone()))
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        check(key)?;
        let object = self.object(bytes);
        self.objects().insert(key.to_owned(), object);
        Ok(())
    }

    async fn present(&self, keys: &[String]) -> Result<Vec<bool>, StoreError> {
        keys.iter().try_for_each(|key| check(key).map(drop))?;
        let objects = self.objects();
        Ok(keys.iter().map(|key| objects.contains_key(key)).collect())
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        check_prefix(prefix)?;
        let start = after.filter(|after| *after >= prefix);
        let objects = self.objects();
        let from = objects.range::<str, _>((Bound::Included(start.unwrap_or(prefix)), Bound::Unbounded));
        let below = from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix));
        Ok(below.filter(|key| Some(key.as_str()) != start).take(PAGE).cloned().collect())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        check(key)?;
        self.objects().remove(key);
        Ok(())
    }

    async fn versioned(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        check(key)?;
        let objects = self.objects();
        Ok(objects.get(key).map(|object| (object.bytes.clone(), Version(object.version.to_string()))))
    }

    async fn replace(&self, key: &str, bytes: Vec<u8>, seen: Option<&Version>) -> Result<bool, StoreError> {
        check(key)?;
        let mut objects = self.objects();
        let present = objects.get(key).map(|object| object.version);
        if present.map(|version| version.to_string()).as_deref() != seen.map(|version| version.0.as_str()) {
            return Ok(false);
        }
        objects.insert(key.to_owned(), self.object(bytes));
        Ok(true)
    }

    fn is_conditional(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn conforms() {
        super::super::conformance::check_store(&super::MemoryStore::default()).await;
    }
}
