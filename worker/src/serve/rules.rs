//! The rules that tasks name: read from the store once, and kept while tasks name them.

use std::sync::{Arc, Mutex, PoisonError};

use lazaret::door::store::SharedStore;
use lazaret::key;
use lazaret::rules::RulesObject;

/// How many are kept: the old ones and the new, while jobs go over from one to the other.
const KEPT: usize = 2;

pub(super) struct AddedRules {
    store: SharedStore,
    kept: Mutex<Vec<Arc<RulesObject>>>,
}

impl AddedRules {
    pub(super) fn new(store: SharedStore) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// The rules with this digest, or why they cannot be had now.
    pub(super) async fn get(&self, digest: &str) -> Result<Arc<RulesObject>, String> {
        if let Some(known) = self.known(digest) {
            return Ok(known);
        }
        let packed = self.store.get(&key::rules(digest)).await.map_err(|error| error.to_string())?;
        let packed = packed.ok_or_else(|| format!("the rules {digest} are not in the store"))?;
        let rules = RulesObject::unpack(digest, &packed).map_err(|error| format!("{}: {error}", key::rules(digest)))?;
        let rules = Arc::new(rules);
        let mut kept = self.kept();
        kept.push(Arc::clone(&rules));
        if kept.len() > KEPT {
            kept.remove(0);
        }
        Ok(rules)
    }

    fn known(&self, digest: &str) -> Option<Arc<RulesObject>> {
        self.kept().iter().find(|rules| rules.digest() == digest).cloned()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Arc<RulesObject>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use lazaret::door::store::{MemoryStore, Store as _};
    use lazaret::rules::{AddedRules as Texts, RuleSource};

    use super::*;

    #[tokio::test]
    async fn rules_come_from_the_store_and_are_those_that_were_named() {
        let store = Arc::new(MemoryStore::default());
        let rules = AddedRules::new(store.clone());
        let object = |text: &str| {
            let source = RuleSource { name: "a".into(), text: text.into() };
            RulesObject::of(&Texts { secrets: vec![source], ..Texts::default() }).unwrap().unwrap()
        };
        let (one, two) = (object("1"), object("2"));
        assert!(rules.get(one.digest()).await.unwrap_err().contains("not in the store"));
        store.put(&key::rules(one.digest()), one.packed().unwrap()).await.unwrap();
        assert_eq!(*rules.get(one.digest()).await.unwrap(), one);
        store.put(&key::rules(two.digest()), one.packed().unwrap()).await.unwrap();
        assert!(rules.get(two.digest()).await.unwrap_err().contains("damaged"), "they are others");
        store.put(&key::rules(one.digest()), Vec::new()).await.unwrap();
        assert_eq!(*rules.get(one.digest()).await.unwrap(), one, "they are kept");
    }
}
