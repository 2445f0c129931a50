//! `memory:`: a cache of this process, for the command line and for tests; bounded by bytes, the oldest goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Cache, CacheSettings, Claim};

/// What an entry costs beside its key and value: two map nodes and an allocation, roughly.
const ENTRY: usize = 128;

/// Values and claims in the memory of this process.
#[derive(Debug)]
pub struct MemoryCache {
    settings: CacheSettings,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    values: HashMap<Arc<str>, Value>,
    /// The keys by the order in which they were put.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
    bytes: usize,
    /// Holder and end of each claim.
    claims: HashMap<String, (String, Instant)>,
}

#[derive(Debug)]
struct Value {
    place: u64,
    end: Instant,
    bytes: Vec<u8>,
}

impl Held {
    fn put(&mut self, key: &str, bytes: &[u8], end: Instant) {
        self.remove(key);
        let key: Arc<str> = key.into();
        self.bytes += cost(&key, bytes);
        self.order.insert(self.next, Arc::clone(&key));
        self.values.insert(key, Value { place: self.next, end, bytes: bytes.to_vec() });
        self.next += 1;
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, value)) = self.values.remove_entry(key) {
            self.order.remove(&value.place);
            self.bytes -= cost(&key, &value.bytes);
        }
    }

    fn shrink_to(&mut self, limit: usize) {
        while self.bytes > limit {
            let Some((_, key)) = self.order.first_key_value() else { return };
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| value.end > Instant::now())
    }

    fn holder(&self, key: &str) -> Option<&str> {
        self.claims.get(key).filter(|(_, end)| *end > Instant::now()).map(|(holder, _)| holder.as_str())
    }

    fn drop_ended_claims(&mut self) {
        let now = Instant::now();
        self.claims.retain(|_, (_, end)| *end > now);
    }
}

fn cost(key: &str, bytes: &[u8]) -> usize {
    ENTRY + key.len() + bytes.len()
}

impl MemoryCache {
    /// An empty cache.
    pub fn new(settings: CacheSettings) -> Self {
        Self { settings, held: Mutex::default() }
    }

    /// A panic elsewhere leaves a cache whose worst fault is a miss.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn present(&self, keys: &[String]) -> Vec<bool> {
        let held = self.held();
        keys.iter().map(|key| held.value(key).is_some()).collect()
    }

    async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        let held = self.held();
        keys.iter().map(|key| held.value(key).map(|value| value.bytes.clone())).collect()
    }

    async fn put(&self, key: &str, value: &[u8]) {
        if value.len() <= self.settings.entry_limit {
            let mut held = self.held();
            held.put(key, value, Instant::now() + self.settings.ttl);
            held.shrink_to(self.settings.memory);
        }
    }

    async fn claim(&self, claims: &[(String, String)], ttl: Duration) -> Vec<Claim> {
        let mut held = self.held();
        // Claims of holders that went away would stay for ever otherwise.
        held.drop_ended_claims();
        let end = Instant::now() + ttl;
        let mut answers = Vec::with_capacity(claims.len());
        for (key, holder) in claims {
            answers.push(match held.holder(key) {
                Some(other) => Claim::Held(other.to_owned()),
                None => {
                    held.claims.insert(key.clone(), (holder.clone(), end));
                    Claim::Taken
                }
            });
        }
        answers
    }

    async fn renew(&self, claims: &[(String, String)], ttl: Duration) {
        let mut held = self.held();
        let end = Instant::now() + ttl;
        for (key, holder) in claims {
            if held.holder(key).is_none_or(|other| other == holder) {
                held.claims.insert(key.clone(), (holder.clone(), end));
            }
        }
    }

    async fn extend(&self, claims: &[(String, String)], ttl: Duration) {
        let mut held = self.held();
        let end = Instant::now() + ttl;
        for (key, holder) in claims {
            if held.holder(key) == Some(holder) {
                held.claims.insert(key.clone(), (holder.clone(), end));
            }
        }
    }

    async fn release(&self, claims: &[(String, String)]) {
        let mut held = self.held();
        for (key, holder) in claims {
            if held.holder(key) == Some(holder) {
                held.claims.remove(key);
            }
        }
    }

    async fn claims(&self) -> Option<u64> {
        let mut held = self.held();
        held.drop_ended_claims();
        Some(held.claims.len() as u64)
    }

    fn is_healthy(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::check_cache;
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        check_cache(&MemoryCache::new(CacheSettings::default())).await;
    }

    #[tokio::test]
    async fn forgets_the_oldest_above_its_limit() {
        let entry = cost("0", &[0; 1_000]);
        let cache = MemoryCache::new(CacheSettings { memory: 3 * entry, ..CacheSettings::default() });
        for key in ["0", "1", "2"] {
            cache.put(key, &[0; 1_000]).await;
        }
        cache.put("0", &[1; 1_000]).await;
        cache.put("3", &[0; 1_000]).await;
        let keys = ["0", "1", "2", "3"].map(str::to_owned);
        assert_eq!(cache.present(&keys).await, [true, false, true, true], "0 was put again, so 1 is the oldest");
        let held = cache.held();
        assert_eq!((held.values.len(), held.order.len(), held.bytes), (3, 3, 3 * entry));
    }

    #[tokio::test]
    async fn forgets_what_has_ended() {
        let cache = MemoryCache::new(CacheSettings { ttl: Duration::ZERO, ..CacheSettings::default() });
        cache.put("a", b"1").await;
        assert_eq!(cache.get(&["a".to_owned()]).await, [None]);
    }
}
