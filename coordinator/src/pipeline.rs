//! The data flow for one image: recall, plan, analyse, compose, keep. Matching and reporting come after, and are pure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lazaret::digest::Digest;
use lazaret::door::source::{ImageSource, Opened, PlatformChoice, SourceError, StreamedArchive};
use lazaret::door::store::Store;
use lazaret::image::{Image, Layer};
use lazaret::inventory::LayerInventory;
use lazaret::wire::{self, Kind};
use rayon::prelude::*;

use crate::compose::{self, Contents};
use crate::inventory::ImageInventory;
use crate::local;

/// What is known of an image's contents, and which of its layers failed.
#[derive(Debug)]
pub struct Inventoried {
    /// Image and contents; without the layers that failed.
    pub inventory: ImageInventory,
    /// The layers that failed, by index, and why.
    pub failed: Vec<(u32, String)>,
}

/// How far a scan is; read by whoever shows it, while others count.
#[derive(Debug, Default)]
pub struct Progress {
    /// Distinct layers to look at.
    pub layers: AtomicU64,
    /// Those that are done.
    pub layers_done: AtomicU64,
    /// Bytes of the blobs that must be read.
    pub bytes: AtomicU64,
    /// Bytes that have been read.
    pub bytes_done: AtomicU64,
}

/// The images behind a reference that was found, each with what is in it.
///
/// # Errors
/// The reference means no image that could be looked at. A layer that fails is no error: it is in the result.
pub fn scan(
    found: Opened,
    choice: &PlatformChoice,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Vec<(Image, Inventoried)>, SourceError> {
    match found {
        Opened::Random(source) => {
            let images = source.images(choice)?.into_iter();
            let inventoried = images.map(|image| {
                let inventoried = inventory(&image, source.as_ref(), store, progress);
                (image, inventoried)
            });
            Ok(inventoried.collect())
        }
        Opened::Stream(archive) => streamed(archive, choice, store, progress),
    }
}

/// The inventory of `image`: recalled from the store, or composed from its layers, of which those that the store has not
/// are read from `source`, on as many threads as the rayon pool has. Whatever the store lacks is put there.
pub fn inventory(image: &Image, source: &dyn ImageSource, store: &dyn Store, progress: &Progress) -> Inventoried {
    let keys = Keys::new();
    if let Some(inventory) = recall(image, store, &keys) {
        return Inventoried { inventory, failed: Vec::new() };
    }
    let mut distinct: HashMap<(Digest, Digest), &Layer> = HashMap::new();
    for layer in &image.layers {
        distinct.entry((layer.blob.digest, layer.diff_id)).or_insert(layer);
    }
    let mut todo: Vec<&Layer> = distinct.into_values().collect();
    // The largest first, so that no core is left alone with it at the end.
    todo.sort_unstable_by_key(|layer| (std::cmp::Reverse(layer.blob.size), layer.blob.digest, layer.diff_id));
    progress.layers.fetch_add(todo.len() as u64, Ordering::Relaxed);
    progress.bytes.fetch_add(todo.iter().map(|layer| layer.blob.size).fold(0, u64::saturating_add), Ordering::Relaxed);
    let room = Room::new(MAX_HELD);
    let mut done: HashMap<(Digest, Digest), Result<LayerInventory, String>> = todo
        .into_par_iter()
        .map(|layer| {
            let inventory = if room.is_full() {
                Err(TOO_MUCH.to_owned())
            } else {
                layer_inventory(layer, source, store, &keys, progress).map(|inventory| room.hold(inventory))
            };
            progress.layers_done.fetch_add(1, Ordering::Relaxed);
            ((layer.blob.digest, layer.diff_id), inventory)
        })
        .collect();
    if room.is_full() {
        // Which layers found room depends on which came first; that none is shown does not.
        done.values_mut().for_each(|layer| *layer = Err(TOO_MUCH.to_owned()));
    }
    let composed = Composed::of(image.layers.iter().map(|layer| done.get(&(layer.blob.digest, layer.diff_id))));
    // What the layers were is in their composition now, and in the store; both at once are twice the memory.
    drop(done);
    finish(image, store, &keys, composed)
}

/// What can be read only once is analysed as it goes by, before anybody knows which of it are layers of the image.
fn streamed(
    archive: StreamedArchive,
    choice: &PlatformChoice,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Vec<(Image, Inventoried)>, SourceError> {
    let room = Room::new(MAX_HELD);
    let streamed = archive.read(choice, &mut |_, entry| {
        let mut analysis = local::analyze_unnamed(entry, &progress.bytes_done)?;
        analysis.inventory = room.hold(analysis.inventory);
        Ok::<_, local::Failure>(analysis)
    })?;
    let analyses = streamed.layers;
    let inventoried = streamed.images.into_iter().map(|image| {
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| match analyses.get(&layer.blob.digest) {
                _ if room.is_full() => Err(TOO_MUCH.to_owned()),
                Some(Ok(Ok(analysis))) => {
                    analysis.verify(layer).map(|()| analysis.inventory.clone()).map_err(|error| error.to_string())
                }
                Some(Ok(Err(failure))) => Err(failure.describe(layer)),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("the archive does not have it".to_owned()),
            })
            .collect();
        let inventoried = inventory_of_streamed(&image, &layers, store);
        (image, inventoried)
    });
    Ok(inventoried.collect())
}

/// The inventory of an image whose layers were analysed as they streamed by, by index.
fn inventory_of_streamed(image: &Image, layers: &[Result<LayerInventory, String>], store: &dyn Store) -> Inventoried {
    let keys = Keys::new();
    for (layer, inventory) in image.layers.iter().zip(layers) {
        if let Ok(inventory) = inventory {
            keep_layer(layer, inventory, store, &keys);
        }
    }
    finish(image, store, &keys, Composed::of(layers.iter().map(Some)))
}

/// Bytes of layer inventories that one scan holds at a time. The largest honest images come to tens of megabytes.
const MAX_HELD: usize = 512 << 20;

const TOO_MUCH: &str = "the layers of this image hold more packages than fit into memory";

/// Room for layer inventories, shared by the threads that fill it.
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

/// What the layers of an image come to.
struct Composed {
    contents: Contents,
    failed: Vec<(u32, String)>,
    /// Whether every layer was read to its end and is the one that was meant.
    verified: bool,
}

impl Composed {
    fn of<'l>(layers: impl Iterator<Item = Option<&'l Result<LayerInventory, String>>> + Clone) -> Self {
        let contents = compose::compose(layers.clone().map(|layer| layer.and_then(|layer| layer.as_ref().ok())));
        let verified = layers.clone().all(|layer| matches!(layer, Some(Ok(layer)) if layer.diff_id.is_some()));
        let failed = layers.enumerate().filter_map(|(index, layer)| match layer {
            Some(Ok(_)) => None,
            Some(Err(reason)) => Some((index as u32, reason.clone())),
            None => Some((index as u32, "not read".into())),
        });
        Self { failed: failed.collect(), contents, verified }
    }
}

fn finish(image: &Image, store: &dyn Store, keys: &Keys, composed: Composed) -> Inventoried {
    let Composed { contents, failed, verified } = composed;
    let inventory = ImageInventory::new(image, contents);
    if verified {
        let key = keys.image(&image.digest);
        match wire::seal(Kind::ImageInventory, &key, &inventory) {
            Ok(sealed) => put(store, &key, &sealed),
            Err(error) => tracing::warn!("cannot keep the inventory of {}: {error}", image.digest),
        }
    }
    Inventoried { inventory, failed }
}

fn layer_inventory(
    layer: &Layer,
    source: &dyn ImageSource,
    store: &dyn Store,
    keys: &Keys,
    progress: &Progress,
) -> Result<LayerInventory, String> {
    if let Some(inventory) = recall_layer(layer, store, keys) {
        progress.bytes_done.fetch_add(layer.blob.size, Ordering::Relaxed);
        return Ok(inventory);
    }
    let blob = source.open_blob(layer).map_err(|error| error.to_string())?;
    let inventory = local::analyze(blob, layer, &progress.bytes_done).map_err(|error| error.to_string())?;
    keep_layer(layer, &inventory, store, keys);
    Ok(inventory)
}

fn recall(image: &Image, store: &dyn Store, keys: &Keys) -> Option<ImageInventory> {
    let key = keys.image(&image.digest);
    let inventory: ImageInventory = wire::open(Kind::ImageInventory, &key, &get(store, &key)?).ok()?;
    (inventory.layers == image.layers && inventory.config == image.config).then_some(inventory)
}

/// An inventory is taken only where the blob unpacked to what *this* image's configuration claims.
fn recall_layer(layer: &Layer, store: &dyn Store, keys: &Keys) -> Option<LayerInventory> {
    let key = keys.layer(&layer.blob.digest);
    let inventory: LayerInventory = wire::open(Kind::LayerInventory, &key, &get(store, &key)?).ok()?;
    (inventory.diff_id == Some(layer.diff_id) && inventory.compressed_bytes == layer.blob.size).then_some(inventory)
}

fn keep_layer(layer: &Layer, inventory: &LayerInventory, store: &dyn Store, keys: &Keys) {
    if inventory.diff_id.is_none() {
        return;
    }
    let key = keys.layer(&layer.blob.digest);
    match wire::seal(Kind::LayerInventory, &key, inventory) {
        Ok(sealed) => put(store, &key, &sealed),
        Err(error) => tracing::warn!("cannot keep the inventory of layer {}: {error}", layer.blob.digest),
    }
}

/// A store that cannot be read costs time, never a scan.
fn get(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    store.get(key).unwrap_or_else(|error| {
        tracing::warn!("cannot read from the store: {error}");
        None
    })
}

fn put(store: &dyn Store, key: &str, object: &[u8]) {
    if let Err(error) = store.put(key, object) {
        tracing::warn!("cannot write to the store: {error}");
    }
}

/// The names of objects in the store; they hold what the objects depend on.
struct Keys {
    set: String,
}

impl Keys {
    fn new() -> Self {
        Self { set: local::fingerprint().to_string() }
    }

    fn layer(&self, blob: &Digest) -> String {
        format!("layers/{blob}/{}", self.set)
    }

    fn image(&self, manifest: &Digest) -> String {
        format!("images/{manifest}/{}-{}", self.set, compose::VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_not_held() {
        let hide =
            |path: &str| lazaret::inventory::Hide { path: path.into(), kind: lazaret::inventory::HideKind::Whiteout };
        let inventory = LayerInventory { hides: vec![hide("a"), hide("b")], ..LayerInventory::default() };
        let room = Room::new(2 * inventory.weight() + 1);
        assert_eq!(room.hold(inventory.clone()), inventory);
        assert_eq!(room.hold(inventory.clone()), inventory);
        assert!(!room.is_full());
        assert_eq!(room.hold(inventory), LayerInventory::default());
        assert!(room.is_full());
    }
}
