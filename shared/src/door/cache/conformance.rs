//! What every cache that can hold something must do; run on each of them.

use std::time::{Duration, Instant};

use super::{Cache, CacheSettings, Claim};

/// Long enough that no claim ends by itself in a test.
const LONG: Duration = Duration::from_secs(600);

/// Checks an empty cache that was opened with the default limit of an entry, and with budgets that it keeps.
///
/// # Panics
/// If it breaks the contract of [`Cache`].
pub async fn check_cache(cache: &dyn Cache) {
    values(cache).await;
    many_values(cache).await;
    claims(cache).await;
    many_claims(cache).await;
    claims_end(cache).await;
    assert!(cache.is_healthy(), "every request was answered");
}

fn names<const N: usize>(names: [&str; N]) -> [String; N] {
    names.map(str::to_owned)
}

fn pair(key: &str, holder: &str) -> (String, String) {
    (key.to_owned(), holder.to_owned())
}

async fn values(cache: &dyn Cache) {
    let keys = names(["layers/a/1", "layers/b/1"]);
    assert_eq!(cache.present(&keys).await, [false, false], "an empty cache has nothing");
    assert_eq!(cache.get(&keys).await, [None, None]);
    assert_eq!(cache.present(&[]).await, [] as [bool; 0]);
    assert_eq!(cache.get(&[]).await, [] as [Option<Vec<u8>>; 0]);
    let binary: Vec<u8> = (0..=255).collect();
    cache.put("layers/a/1", b"one").await;
    assert_eq!(cache.present(&keys).await, [true, false]);
    assert_eq!(cache.get(&keys).await, [Some(b"one".to_vec()), None]);
    cache.put("layers/a/1", &binary).await;
    cache.put("layers/b/1", b"").await;
    assert_eq!(cache.get(&keys).await, [Some(binary), Some(Vec::new())], "the last put counts; nothing is a value");
    let limit = CacheSettings::default().entry_limit;
    let large: Vec<u8> = (0..limit).map(|n| (n % 251) as u8).collect();
    cache.put("large", &large).await;
    assert!(cache.get(&names(["large"])).await == [Some(large.clone())], "a value at the limit comes back whole");
    cache.put("too large", &vec![0; limit + 1]).await;
    assert_eq!(cache.present(&names(["too large"])).await, [false], "a value above the limit is not put");
}

async fn many_values(cache: &dyn Cache) {
    let keys: Vec<String> = (0..2_345).map(|n| format!("layers/many/{n}")).collect();
    for key in keys.iter().step_by(5) {
        cache.put(key, key.as_bytes()).await;
    }
    let present = cache.present(&keys).await;
    let values = cache.get(&keys).await;
    assert_eq!((present.len(), values.len()), (keys.len(), keys.len()));
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(present[n], n % 5 == 0, "{key}");
        assert_eq!(values[n].as_deref(), (n % 5 == 0).then_some(key.as_bytes()));
    }
}

async fn claims(cache: &dyn Cache) {
    assert_eq!(cache.claims().await, Some(0));
    assert_eq!(cache.claim(&[], LONG).await, []);
    let taken = cache.claim(&[pair("x", "me"), pair("y", "me"), pair("x", "me too")], LONG).await;
    assert_eq!(taken, [Claim::Taken, Claim::Taken, Claim::Held("me".into())]);
    assert_eq!(cache.claims().await, Some(2));
    let again = cache.claim(&[pair("x", "me"), pair("y", "other"), pair("z", "other")], LONG).await;
    assert_eq!(again, [Claim::Held("me".into()), Claim::Held("me".into()), Claim::Taken]);
    assert_eq!(cache.present(&names(["x"])).await, [false], "a claim is no value");
    cache.put("x", b"value").await;
    assert_eq!(cache.claim(&[pair("x", "other")], LONG).await, [Claim::Held("me".into())], "a value is no claim");

    cache.release(&[pair("x", "other"), pair("z", "other")]).await;
    assert_eq!(cache.claims().await, Some(2), "only the holder gives a claim back");
    cache.renew(&[pair("x", "other"), pair("z", "me")], LONG).await;
    let holders = cache.claim(&[pair("x", "?"), pair("z", "?")], LONG).await;
    assert_eq!(holders, [Claim::Held("me".into()), Claim::Held("me".into())], "a lost claim is taken anew, no other's");
    cache.extend(&[pair("x", "other"), pair("w", "me")], LONG).await;
    assert_eq!(cache.claims().await, Some(3), "what nobody holds is not taken by letting it last");
    cache.release(&[pair("x", "me"), pair("y", "me"), pair("z", "me")]).await;
    cache.release(&[pair("x", "me")]).await;
    assert_eq!(cache.claims().await, Some(0));
}

async fn many_claims(cache: &dyn Cache) {
    let mine: Vec<_> = (0..2_345).map(|n| (format!("many/{n}"), format!("task {n}"))).collect();
    assert!(cache.claim(&mine, LONG).await.iter().all(|claim| *claim == Claim::Taken));
    assert_eq!(cache.claims().await, Some(mine.len() as u64));
    let others: Vec<_> = mine.iter().map(|(key, _)| (key.clone(), "other".to_owned())).collect();
    for ((_, holder), claim) in mine.iter().zip(cache.claim(&others, LONG).await) {
        assert_eq!(claim, Claim::Held(holder.clone()), "answers come in the order of the questions");
    }
    cache.release(&others).await;
    cache.release(&mine).await;
    assert_eq!(cache.claims().await, Some(0));
}

async fn claims_end(cache: &dyn Cache) {
    let short = [pair("short", "me")];
    let other = [pair("short", "other")];
    let start = Instant::now();
    assert_eq!(cache.claim(&short, Duration::from_millis(1_000)).await, [Claim::Taken]);
    cache.renew(&short, Duration::from_millis(1_500)).await;
    cache.extend(&short, Duration::from_millis(2_000)).await;
    let mut answer = cache.claim(&other, LONG).await;
    while answer != [Claim::Taken] {
        assert_eq!(answer, [Claim::Held("me".into())]);
        assert!(start.elapsed() < Duration::from_secs(20), "a claim that nobody renews ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = cache.claim(&other, LONG).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(1_900), "a renewed claim lasts from when it was renewed");
    cache.release(&other).await;
}
