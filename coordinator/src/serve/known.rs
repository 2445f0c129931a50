//! Which image inventories the store has as a job begins, as far as a few pages of a listing tell: a first night need not ask
//! for each image in vain.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lazaret::door::store::{SharedStore, WORTH_A_PAGE};
use lazaret::key;

/// The most pages, of up to a thousand keys each.
const MAX_PAGES: usize = 64;
/// A page with fewer keys is the last one, most likely: what comes after it is asked for, image by image.
const SHORT: usize = 500;

/// The keys of image inventories up to some key.
#[derive(Debug)]
pub(super) struct Known {
    keys: Mutex<HashSet<String>>,
    /// The last key that was listed; nothing if all were.
    end: Option<String>,
}

impl Known {
    /// Looks into `store` on behalf of a job of `images`: the more it has, the further.
    pub(super) async fn look(store: &SharedStore, images: usize) -> Self {
        let (mut keys, mut end) = (HashSet::new(), Some(String::new()));
        for _ in 0..(images / WORTH_A_PAGE).min(MAX_PAGES) {
            match store.list(key::IMAGES, end.as_deref().filter(|end| !end.is_empty())).await {
                Ok(page) => {
                    let is_last = page.len() < SHORT;
                    end = page.last().cloned();
                    keys.extend(page);
                    if is_last {
                        break;
                    }
                }
                Err(error) => {
                    tracing::debug!("cannot list the image inventories: {error}");
                    break;
                }
            }
        }
        Self { keys: Mutex::new(keys), end }
    }

    /// Whether there certainly was no object `key`.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.end.as_deref().is_none_or(|end| key <= end) && !self.keys().contains(key)
    }

    /// There may be an object `key` now: the next tag of an image recalls what the first one brought.
    pub(super) fn learn(&self, key: String) {
        self.keys().insert(key);
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lazaret::door::store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn only_what_was_listed_is_known_to_lack() {
        let store: SharedStore = Arc::new(MemoryStore::default());
        let none = Known::look(&store, WORTH_A_PAGE).await;
        assert!(none.lacks("images/a"), "an empty store has nothing");
        none.learn("images/a".to_owned());
        assert!(!none.lacks("images/a") && none.lacks("images/b"));
        for number in 0..2_400 {
            store.put(&format!("images/{number:04}"), Vec::new()).await.unwrap();
        }
        let nothing = Known::look(&store, WORTH_A_PAGE - 1).await;
        assert!(!nothing.lacks("images/a"), "a job of a few images does not look");
        let page = Known::look(&store, WORTH_A_PAGE).await;
        assert!(!page.lacks("images/0000") && !page.lacks("images/0999"));
        assert!(page.lacks("images/0000a") && !page.lacks("images/1000") && !page.lacks("images/2000"));
        let nearly_all = Known::look(&store, 9 * WORTH_A_PAGE).await;
        assert!(nearly_all.lacks("images/2398a") && !nearly_all.lacks("images/2399") && !nearly_all.lacks("images/24"));
    }
}
