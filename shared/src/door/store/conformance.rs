//! What every store must do; run on each of them.

use super::{Store, StoreError};

/// Checks an empty store.
///
/// # Panics
/// If it breaks the contract of [`Store`].
pub fn check_store(store: &dyn Store) {
    assert_eq!(store.get("a/b").expect("get"), None, "an empty store has nothing");
    store.put("a/b", b"one").expect("put");
    store.put("a/c", b"").expect("put of nothing");
    assert_eq!(store.get("a/b").expect("get").as_deref(), Some(&b"one"[..]));
    assert_eq!(store.get("a/c").expect("get").as_deref(), Some(&b""[..]), "an empty object is an object");
    store.put("a/b", b"two").expect("put again");
    assert_eq!(store.get("a/b").expect("get").as_deref(), Some(&b"two"[..]));
    for key in ["", "/", "a//b", "../a", "a/../b", "a/./b", "/etc/passwd", "a b", "a\nb", "é", ".hidden"] {
        assert!(matches!(store.put(key, b""), Err(StoreError::Key(_))), "put of {key:?}");
        assert!(matches!(store.get(key), Err(StoreError::Key(_))), "get of {key:?}");
    }
}
