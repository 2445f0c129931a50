//! Publishing a report: first the report, then the pointer to it. An unchanged result writes nothing.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lazaret::door::store::{SharedStore, StoreError};
use lazaret::pack;

use super::stored::{self, Latest};

/// The longest report that is read back.
const MAX_REPORT: usize = 256 << 20;
/// How often a pointer is tried, if other writers are faster each time.
const TRIES: usize = 5;
/// Objects that are written at a time.
const AT_ONCE: usize = 16;

/// Makes `json`, of the id `latest.report`, the newest report on a reference and platform; unless a later job has written one.
/// What is to stand `beside` it, keys and objects, is written first. Where it `is_first`, most likely, the pointer is not looked at before it is written.
///
/// # Errors
/// The store. The last report stays the newest.
pub(super) async fn publish(
    store: &SharedStore,
    latest: &Latest,
    platform: &str,
    json: &[u8],
    mut beside: Vec<(String, Vec<u8>)>,
    is_first: bool,
) -> Result<(), StoreError> {
    let key = stored::latest(&latest.reference, platform);
    let mut written = false;
    for attempt in 0..TRIES {
        let seen = match attempt == 0 && is_first && store.is_conditional() {
            true => None,
            false => store.versioned(&key).await?,
        };
        let present = seen.as_ref().and_then(|(bytes, _)| serde_json::from_slice::<Latest>(bytes).ok());
        if present.as_ref().is_some_and(|present| present.report == latest.report) {
            return Ok(());
        }
        if !written {
            put(store, &latest.report, json).await?;
            let puts = std::mem::take(&mut beside).into_iter().map(async |(key, object)| store.put(&key, object).await);
            stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            written = true;
        }
        if present.is_some_and(|present| present.sequence > latest.sequence) {
            return Ok(());
        }
        let pointer = serde_json::to_vec(latest).unwrap_or_default();
        if store.replace(&key, pointer, seen.as_ref().map(|(_, version)| version)).await? {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable(format!("other writers of {key} are always faster")))
}

async fn put(store: &SharedStore, id: &str, json: &[u8]) -> Result<(), StoreError> {
    let packed = pack::pack(json).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    store.put(&stored::report(id), packed).await
}

/// The report with this id: the JSON, whole and unchanged.
///
/// # Errors
/// The store.
pub(super) async fn report(store: &SharedStore, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let Some(packed) = store.get(&stored::report(id)).await? else { return Ok(None) };
    let json = pack::unpack(&packed, MAX_REPORT).ok().filter(|json| blake3::hash(json).to_hex().as_str() == id);
    if json.is_none() {
        tracing::error!(report = id, "a report in the store is damaged");
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lazaret::digest::Digest;
    use lazaret::door::store::MemoryStore;

    use super::*;

    fn latest(json: &[u8], sequence: u64) -> Latest {
        let report = blake3::hash(json).to_hex().to_string();
        Latest { schema: 1, reference: "r".into(), digest: Digest::of(b""), report, sequence }
    }

    async fn newest(store: &SharedStore) -> Latest {
        let bytes = store.get(&stored::latest("r", "linux/amd64")).await.unwrap().unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn a_later_job_wins_and_what_is_unchanged_is_not_written() {
        for is_first in [false, true] {
            later_wins(is_first).await;
        }
    }

    async fn later_wins(is_first: bool) {
        let store: SharedStore = Arc::new(MemoryStore::default());
        let publish = async |json: &'static [u8], sequence| {
            publish(&store, &latest(json, sequence), "linux/amd64", json, Vec::new(), is_first).await.unwrap();
        };
        publish(b"one", 5).await;
        publish(b"two", 7).await;
        publish(b"three", 6).await;
        assert_eq!(newest(&store).await, latest(b"two", 7), "an older job that comes late leaves the pointer alone");
        let all = store.list("reports/", None).await.unwrap();
        assert_eq!(all.len(), 3, "its report is kept nevertheless");
        publish(b"two", 9).await;
        assert_eq!(newest(&store).await, latest(b"two", 7), "nothing changed, nothing is written");
        let id = blake3::hash(b"two").to_hex().to_string();
        assert_eq!(report(&store, &id).await.unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(report(&store, "../jobs").await.unwrap(), None);
        store.put(&stored::report(&id), b"damaged".to_vec()).await.unwrap();
        assert_eq!(report(&store, &id).await.unwrap(), None);
    }
}
