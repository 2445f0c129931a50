//! What can be read only once is analysed as it goes by, before anybody knows which of it are layers of the image.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lazaret::door::source::{PlatformChoice, SourceError, StreamedArchive};
use lazaret::door::store::SharedStore;
use lazaret::image::Image;
use lazaret::inventory::LayerInventory;
use lazaret::key;
use lazaret::record::{Cost, LayerRecord};
use lazaret::wire::{self, Kind};

use super::{Composed, Inventoried, MAX_HELD, Progress, TOO_MUCH, finish, mismatch, put};
use crate::local::{self, Searching};

/// The images of an archive that goes by once, each with what is in it. Blocks while it reads.
///
/// # Errors
/// The archive holds no image that could be looked at. A layer that fails is no error: it is in the result.
pub fn read(
    archive: StreamedArchive,
    choice: &PlatformChoice,
    searching: &Searching,
    progress: &Progress,
) -> Result<Vec<Streamed>, SourceError> {
    let room = Room::new(MAX_HELD);
    let streamed = archive.read(choice, &mut |_, entry| {
        let mut analysis = local::analyze_unnamed(entry, searching, &progress.bytes_done)?;
        analysis.inventory = room.hold(analysis.inventory);
        Ok(analysis)
    })?;
    let analyses = streamed.layers;
    let images = streamed.images.into_iter().map(|image| {
        let layers = image.layers.iter().map(|layer| match analyses.get(&layer.blob.digest) {
            _ if room.is_full() => Err(TOO_MUCH.to_owned()),
            Some(Ok(analysed)) => match (local::mismatch(analysed, layer), analysed) {
                (Some(reason), _) => Err(reason),
                (None, Ok(analysis)) => match mismatch(layer, &analysis.inventory) {
                    Some(reason) => Err(reason),
                    None => Ok(analysis.inventory.clone()),
                },
                (None, Err(_)) => Err("not read".to_owned()),
            },
            Some(Err(error)) => Err(error.to_string()),
            None => Err("the archive does not have it".to_owned()),
        });
        let layers = layers.collect();
        Streamed { image, layers }
    });
    Ok(images.collect())
}

/// An image whose layers have gone by.
pub struct Streamed {
    image: Image,
    /// By index.
    layers: Vec<Result<LayerInventory, String>>,
}

/// Composes what has gone by, and keeps layers and image in the store.
pub async fn streamed(streamed: Streamed, store: &SharedStore, searching: &Searching) -> (Image, Inventoried) {
    let Streamed { image, layers } = streamed;
    let composed = Composed::of(layers.iter().map(|layer| Some(layer.as_ref())));
    for (layer, inventory) in image.layers.iter().zip(layers) {
        if let Ok(inventory) = inventory
            && inventory.diff_id.is_some()
        {
            let key = key::layer(&layer.blob.digest, searching.set());
            match wire::seal(Kind::LayerRecord, &key, &LayerRecord { inventory, cost: Cost::default() }) {
                Ok(sealed) => put(store, &key, sealed).await,
                Err(error) => tracing::warn!("cannot keep the inventory of layer {}: {error}", layer.blob.digest),
            }
        }
    }
    let inventoried = finish(&image, store, searching, composed).await;
    (image, inventoried)
}

/// Room for layer inventories.
struct Room {
    left: AtomicU64,
    full: AtomicBool,
}

impl Room {
    fn new(bytes: usize) -> Self {
        Self { left: AtomicU64::new(bytes as u64), full: AtomicBool::new(false) }
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// The inventory, or an empty one if there is no room for it.
    fn hold(&self, inventory: LayerInventory) -> LayerInventory {
        let weight = inventory.weight() as u64;
        let taken = self.left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(weight)).is_ok();
        if taken {
            return inventory;
        }
        self.full.store(true, Ordering::Relaxed);
        LayerInventory::default()
    }
}

#[cfg(test)]
mod tests {
    use lazaret::inventory::{Hide, HideKind};

    use super::*;

    #[test]
    fn what_finds_no_room_is_not_held() {
        let hide = |path: &str| Hide { path: path.into(), kind: HideKind::Whiteout };
        let inventory = LayerInventory { hides: vec![hide("a"), hide("b")], ..LayerInventory::default() };
        let room = Room::new(2 * inventory.weight() + 1);
        assert_eq!(room.hold(inventory.clone()), inventory);
        assert_eq!(room.hold(inventory.clone()), inventory);
        assert!(!room.is_full());
        assert_eq!(room.hold(inventory), LayerInventory::default());
        assert!(room.is_full());
    }
}
