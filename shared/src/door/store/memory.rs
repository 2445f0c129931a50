//! A store in memory, for scans that leave nothing behind.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Store, StoreError, check};

/// Objects in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<String, Vec<u8>>>);

impl Store for MemoryStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        check(key)?;
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn put(&self, key: &str, object: &[u8]) -> Result<(), StoreError> {
        check(key)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), object.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn conforms() {
        super::super::conformance::check_store(&super::MemoryStore::default());
    }
}
