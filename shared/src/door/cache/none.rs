//! `none:`: no cache at all. Everything still works, once per coordinator instead of once per fleet.

use std::time::Duration;

use async_trait::async_trait;

use super::{Cache, Claim};

/// The cache of a farm without Redis: it has nothing and knows nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoCache;

#[async_trait]
impl Cache for NoCache {
    async fn present(&self, keys: &[String]) -> Vec<bool> {
        vec![false; keys.len()]
    }

    async fn get(&self, keys: &[String]) -> Vec<Option<Vec<u8>>> {
        vec![None; keys.len()]
    }

    async fn put(&self, _key: &str, _value: &[u8]) {}

    async fn claim(&self, claims: &[(String, String)], _ttl: Duration) -> Vec<Claim> {
        vec![Claim::Unknown; claims.len()]
    }

    async fn renew(&self, _claims: &[(String, String)], _ttl: Duration) {}

    async fn extend(&self, _claims: &[(String, String)], _ttl: Duration) {}

    async fn release(&self, _claims: &[(String, String)]) {}

    async fn claims(&self) -> Option<u64> {
        None
    }

    /// There is nothing that could be ill.
    fn is_healthy(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn has_nothing_and_knows_nothing() {
        let cache = super::super::open("none:", Default::default()).expect("no cache");
        let keys = ["a".to_owned(), "b".to_owned()];
        cache.put("a", b"1").await;
        assert_eq!(cache.present(&keys).await, [false, false]);
        assert_eq!(cache.get(&keys).await, [None, None]);
        let claims = [("a".to_owned(), "me".to_owned())];
        assert_eq!(cache.claim(&claims, Duration::from_secs(1)).await, [Claim::Unknown]);
        cache.renew(&claims, Duration::from_secs(1)).await;
        cache.release(&claims).await;
        assert_eq!(cache.claims().await, None);
        assert!(cache.is_healthy());
    }
}
