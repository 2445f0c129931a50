//! Records that were used lately: most images of a registry stand on the same few bases.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use lazaret::record::LayerRecord;
use lazaret::task::TaskId;

/// Bytes of inventories that are held, about.
const MAX_WEIGHT: usize = 96 << 20;
/// A record over this weight is held by nobody but its image.
const MAX_RECORD: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Recent {
    records: HashMap<TaskId, Arc<LayerRecord>>,
    /// From the oldest to the newest.
    order: VecDeque<(TaskId, usize)>,
    weight: usize,
}

impl Recent {
    pub(super) fn get(&self, id: &TaskId) -> Option<Arc<LayerRecord>> {
        self.records.get(id).cloned()
    }

    pub(super) fn put(&mut self, id: TaskId, record: &Arc<LayerRecord>) {
        let weight = record.inventory.weight() + size_of::<LayerRecord>();
        if weight > MAX_RECORD || self.records.insert(id, Arc::clone(record)).is_some() {
            return;
        }
        self.order.push_back((id, weight));
        self.weight += weight;
        while self.weight > MAX_WEIGHT {
            let Some((oldest, weight)) = self.order.pop_front() else { break };
            self.records.remove(&oldest);
            self.weight -= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use lazaret::digest::Digest;
    use lazaret::image::Descriptor;
    use lazaret::inventory::{Hide, HideKind, LayerInventory};

    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let hide = Hide { path: "x".repeat(1 << 20).as_str().into(), kind: HideKind::Whiteout };
        let inventory = LayerInventory { hides: vec![hide; 4], ..LayerInventory::default() };
        let record = Arc::new(LayerRecord { inventory, ..LayerRecord::default() });
        let id =
            |n: u64| TaskId::new(&Descriptor { media_type: String::new(), digest: Digest::of(b""), size: n }, "00");
        let mut recent = Recent::default();
        (0..40).for_each(|n| recent.put(id(n), &record));
        assert!(recent.get(&id(0)).is_none() && recent.get(&id(39)).is_some());
        assert!(recent.weight <= MAX_WEIGHT && recent.records.len() == recent.order.len());
    }
}
