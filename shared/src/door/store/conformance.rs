//! What every store must do; run on each of them.

use super::{Store, StoreError};

/// Checks an empty store.
///
/// # Panics
/// If it breaks the contract of [`Store`].
pub async fn check_store(store: &dyn Store) {
    objects(store).await;
    keys(store).await;
    lists(store).await;
    versions(store).await;
}

async fn objects(store: &dyn Store) {
    assert_eq!(store.get("a/b").await.expect("get"), None, "an empty store has nothing");
    store.put("a/b", b"one".to_vec()).await.expect("put");
    store.put("a/c", Vec::new()).await.expect("put of nothing");
    assert_eq!(store.get("a/b").await.expect("get").as_deref(), Some(&b"one"[..]));
    assert_eq!(store.get("a/c").await.expect("get").as_deref(), Some(&b""[..]), "an empty object is an object");
    store.put("a/b", b"two".to_vec()).await.expect("put again");
    assert_eq!(store.get("a/b").await.expect("get").as_deref(), Some(&b"two"[..]));
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 251) as u8).collect();
    store.put("large", large.clone()).await.expect("put of 9 MB");
    assert!(store.get("large").await.expect("get").as_deref() == Some(&large), "a large object comes back whole");
    store.remove("large").await.expect("remove");
    store.remove("large").await.expect("remove again");
    assert_eq!(store.get("large").await.expect("get"), None);
    let wanted = ["a/b", "a/x", "a/c"].map(str::to_owned);
    assert_eq!(store.present(&wanted).await.expect("present"), [true, false, true]);
    assert_eq!(store.present(&[]).await.expect("present of nothing"), [] as [bool; 0]);
}

async fn keys(store: &dyn Store) {
    for key in ["", "/", "a//b", "../a", "a/../b", "a/./b", "/etc/passwd", "a b", "a\nb", "é", ".hidden"] {
        assert!(matches!(store.put(key, Vec::new()).await, Err(StoreError::Key(_))), "put of {key:?}");
        assert!(matches!(store.get(key).await, Err(StoreError::Key(_))), "get of {key:?}");
        assert!(matches!(store.present(&[key.to_owned()]).await, Err(StoreError::Key(_))), "present of {key:?}");
    }
}

async fn lists(store: &dyn Store) {
    const MANY: usize = 1_003;
    for n in 0..MANY {
        store.put(&format!("list/{n:04}"), vec![1]).await.expect("put");
    }
    store.put("list/0001:x/y", Vec::new()).await.expect("put");
    let mut expected: Vec<String> = (0..MANY).map(|n| format!("list/{n:04}")).collect();
    expected.push("list/0001:x/y".into());
    expected.sort_unstable();
    let first = store.list("list/", None).await.expect("list");
    assert_eq!(first, expected[..1_000]);
    let rest = store.list("list/", first.last().map(String::as_str)).await.expect("list");
    assert_eq!(rest, expected[1_000..]);
    assert_eq!(store.list("list/0001:x/", None).await.expect("list"), ["list/0001:x/y"]);
    assert_eq!(store.list("nothing/", None).await.expect("list"), [] as [&str; 0]);
    assert!(matches!(store.list("list", None).await, Err(StoreError::Key(_))), "a prefix ends in a slash");
    for key in expected {
        store.remove(&key).await.expect("remove");
    }
}

async fn versions(store: &dyn Store) {
    assert_eq!(store.versioned("v").await.expect("versioned"), None);
    assert!(store.replace("v", b"1".to_vec(), None).await.expect("replace of nothing"));
    assert!(!store.replace("v", b"2".to_vec(), None).await.expect("replace"), "there is one now");
    let (object, seen) = store.versioned("v").await.expect("versioned").expect("it is there");
    assert_eq!(object, b"1");
    assert!(store.replace("v", b"3".to_vec(), Some(&seen)).await.expect("replace"));
    assert!(!store.replace("v", b"4".to_vec(), Some(&seen)).await.expect("replace"), "it has changed since");
    assert_eq!(store.get("v").await.expect("get").as_deref(), Some(&b"3"[..]));
    store.remove("v").await.expect("remove");
    store.put("v", b"5".to_vec()).await.expect("put");
    assert!(!store.replace("v", b"6".to_vec(), Some(&seen)).await.expect("replace"), "it is another object by now");
    store.remove("v").await.expect("remove");
}
