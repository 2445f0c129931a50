//! The cache door: layer inventories in front of the store, and claims. Advisory: whatever goes wrong here counts as a miss
//! and as a metric, never as a failed scan, so its methods have no errors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// A cache that any number of processes share.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Which of `keys` are there: one round trip, no payload. All `false` where the cache cannot be asked.
    async fn present(&self, keys: &[String]) -> Vec<bool>;

    /// The values of `keys`, where they are there, whole and authentic.
    async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>>;

    /// Puts a value, to be forgotten at some time. A value over the limit of an entry is not put.
    async fn put(&self, key: &str, value: &[u8]);

    /// Takes claims: one round trip. `claims` are pairs of key and holder; a claim lasts `ttl` unless it is renewed.
    async fn claim(&self, claims: &[(String, String)], ttl: Duration) -> Vec<Claim>;

    /// Renews, or takes anew, the claims of these holders; leaves alone what others hold.
    async fn renew(&self, claims: &[(String, String)], ttl: Duration);

    /// Gives claims back; leaves alone what others hold.
    async fn release(&self, claims: &[(String, String)]);

    /// How many claims are held, for tests and metrics; nothing where the cache cannot be asked.
    async fn claims(&self) -> Option<u64>;

    /// Whether the last request was answered.
    fn is_healthy(&self) -> bool;
}

/// The answer to the wish for a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is ours now.
    Taken,
    /// This holder has it; it may be ourselves.
    Held(String),
    /// There is no cache to say so: everybody goes on without.
    Unknown,
}

/// Why a cache cannot be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CacheError {
    /// A cache that this build does not know.
    #[error("unknown cache `{0}`; write redis://HOST, memory: or none:")]
    Url(String),
    /// The settings do not make a cache.
    #[error("the cache cannot be opened: {0}")]
    Settings(String),
}

/// A cache, shared.
pub type SharedCache = Arc<dyn Cache>;
