//! The cache door: layer inventories in front of the store, and claims. Advisory: whatever goes wrong here counts as a miss
//! and as a metric, never as a failed scan, so its methods have no errors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use super::source::registry::Secret;

pub mod conformance;
mod memory;
mod none;
mod redis;

pub use self::memory::MemoryCache;
pub use self::none::NoCache;
pub use self::redis::{CLAIMS, RedisCache};

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

    /// Lets claims last longer that these holders still have; takes none anew.
    async fn extend(&self, claims: &[(String, String)], ttl: Duration);

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

/// What a cache is opened with, beside its URL. The defaults are meant to be kept.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// What every key in Redis starts with; installations that share a server have prefixes, and users, of their own.
    pub prefix: String,
    /// What values are authenticated with: 16 characters or more, the same for the whole farm. Without it the key is one that
    /// everybody knows: that detects damage, and values put under another key, but not a forger who may write to the server.
    pub key: Option<Secret>,
    /// How long a value is remembered.
    pub ttl: Duration,
    /// The longest value that is put or taken.
    pub entry_limit: usize,
    /// How many bytes `memory:` holds before it forgets the oldest.
    pub memory: usize,
    /// How long a round trip without payload may take before everybody goes on without the cache.
    pub budget: Duration,
    /// The same for a round trip with payload.
    pub payload_budget: Duration,
    /// The certificates (PEM) that sign the server's, where the system does not trust them.
    pub certificates: Option<Vec<u8>>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            prefix: "lazaret:".into(),
            key: None,
            ttl: Duration::from_secs(7 * 24 * 60 * 60),
            entry_limit: 1 << 20,
            memory: 256 << 20,
            budget: Duration::from_millis(100),
            payload_budget: Duration::from_millis(500),
            certificates: None,
        }
    }
}

/// Opens the cache at `url`. A server that is down is no error: the cache answers misses until it is up.
/// It connects when it is first asked, on the runtime that asks.
///
/// # Errors
/// The URL names no cache, or the settings are none for it.
pub fn open(url: &str, settings: CacheSettings) -> Result<SharedCache, CacheError> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "memory" => Ok(Arc::new(MemoryCache::new(settings))),
        "none" => Ok(Arc::new(NoCache)),
        _ if RedisCache::SCHEMES.contains(&scheme) => Ok(Arc::new(RedisCache::new(url, settings)?)),
        // Whatever follows the scheme may hold a password.
        _ => Err(CacheError::Url(crate::text::visible(scheme).chars().take(40).collect())),
    }
}

/// Why a cache cannot be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CacheError {
    /// A cache that this build does not know.
    #[error(
        "unknown cache `{0}:`; write redis://HOST, redis+cluster://HOST,HOST, redis+sentinel://HOST,HOST/MASTER, memory: or none:"
    )]
    Url(String),
    /// The settings do not make a cache.
    #[error("the cache cannot be opened: {0}")]
    Settings(String),
}

/// A cache, shared.
pub type SharedCache = Arc<dyn Cache>;
