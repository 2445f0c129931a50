//! The data flow for one image: recall, plan, analyse, compose, keep. Matching and reporting come after, and are pure.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lazaret::digest::Digest;
use lazaret::door::store::SharedStore;
use lazaret::image::{Image, Layer};
use lazaret::inventory::LayerInventory;
use lazaret::key;
use lazaret::record::LayerRecord;
use lazaret::task::{Class, Place};
use lazaret::wire::{self, Kind};
use tracing::Instrument as _;

use crate::compose::{self, Contents};
use crate::documents::documents;
use crate::inventory::ImageInventory;
use crate::local::Searching;
use crate::plan::Planner;
use crate::plan::ledger::Job;

mod directory;
mod streamed;

pub use directory::directory;
pub use streamed::{Streamed, read, streamed};

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
    /// Images to look at.
    pub images: AtomicU64,
    /// Those that are done.
    pub images_done: AtomicU64,
}

/// Where the layers of some images are, and on whose behalf they are wanted.
pub struct Wanted<'w> {
    /// Plans what is not known.
    pub planner: &'w Planner,
    /// Where the blobs can be had.
    pub place: &'w Place,
    /// How urgent it is.
    pub class: Class,
    /// Who pays.
    pub job: &'w Job,
    /// Counts the layers.
    pub progress: &'w Progress,
}

type Layers = HashMap<(Digest, Digest), Result<Arc<LayerRecord>, String>>;

impl Wanted<'_> {
    /// The inventory of `image`: recalled from the store, or [composed](Self::compose).
    pub async fn inventory(&self, image: &Image) -> Inventoried {
        match recall(image, self.planner).await {
            Some(inventory) => {
                self.job.count_recalled();
                Inventoried { inventory, failed: Vec::new() }
            }
            None => self.compose(image).await,
        }
    }

    /// The inventory of `image`, of which the store has none: composed from its layers, which are known or become tasks.
    /// Whatever the store lacks is put there.
    pub async fn compose(&self, image: &Image) -> Inventoried {
        let planning = self.layers(image);
        let layers = planning.instrument(tracing::info_span!("plan", image = %image.digest)).await;
        let of_image = image.layers.iter().map(|layer| layers.get(&(layer.blob.digest, layer.diff_id)));
        let of_image = of_image.map(|layer| layer.map(|layer| layer.as_ref().map(|record| &record.inventory)));
        let composed = tracing::info_span!("compose").in_scope(|| Composed::of(of_image));
        // What the layers were is in their composition now, and in the store; both at once are twice the memory.
        drop(layers);
        finish(image, &self.planner.doors().store, self.planner.searching(), composed).await
    }

    /// The records of an image's distinct layers, all of them awaited together.
    async fn layers(&self, image: &Image) -> Layers {
        let mut distinct: HashMap<(Digest, Digest), &Layer> = HashMap::new();
        for layer in &image.layers {
            distinct.entry((layer.blob.digest, layer.diff_id)).or_insert(layer);
        }
        self.progress.layers.fetch_add(distinct.len() as u64, Ordering::Relaxed);
        let bytes = distinct.values().map(|layer| layer.blob.size).fold(0, u64::saturating_add);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        let wanted = distinct.values().map(|&layer| async move {
            let record = self.planner.layer(layer, self.place, self.class, self.job).await;
            (layer, record.map_err(|failure| failure.reason.to_string()).and_then(|record| named(layer, record)))
        });
        let mut wanted: FuturesUnordered<_> = wanted.collect();
        let mut held = 0;
        let mut done = Layers::with_capacity(distinct.len());
        while let Some((layer, record)) = wanted.next().await {
            held += record.as_ref().map_or(0, |record| record.inventory.weight());
            if held > MAX_HELD {
                // Which layers found room depends on which came first; that none is shown does not.
                return distinct.into_keys().map(|layer| (layer, Err(TOO_MUCH.to_owned()))).collect();
            }
            done.insert((layer.blob.digest, layer.diff_id), record);
        }
        done
    }
}

/// A record is taken only where the blob unpacked to what *this* image's configuration claims.
fn named(layer: &Layer, record: Arc<LayerRecord>) -> Result<Arc<LayerRecord>, String> {
    match mismatch(layer, &record.inventory) {
        Some(reason) => Err(reason),
        None => Ok(record),
    }
}

fn mismatch(layer: &Layer, inventory: &LayerInventory) -> Option<String> {
    match inventory.diff_id {
        Some(found) if found != layer.diff_id => {
            Some(format!("the layer unpacks to {found}, not to {} as the image's configuration claims", layer.diff_id))
        }
        Some(_) if inventory.compressed_bytes != layer.blob.size => Some(format!(
            "the layer has {} bytes, not the {} that the manifest says",
            inventory.compressed_bytes, layer.blob.size
        )),
        // A limit stopped the walk; the inventory says so in a gap.
        _ => None,
    }
}

/// Bytes of layer inventories that one image may come to. The largest honest images come to tens of megabytes.
const MAX_HELD: usize = 512 << 20;

const TOO_MUCH: &str = "the layers of this image hold more packages than fit into memory";

/// What the layers of an image come to.
struct Composed {
    contents: Contents,
    failed: Vec<(u32, String)>,
    /// Whether every layer was read to its end and is the one that was meant.
    verified: bool,
}

impl Composed {
    fn of<'l>(layers: impl Iterator<Item = Option<Result<&'l LayerInventory, &'l String>>> + Clone) -> Self {
        let contents = compose::compose(layers.clone().map(|layer| layer.and_then(Result::ok)));
        let verified = layers.clone().all(|layer| matches!(layer, Some(Ok(layer)) if layer.diff_id.is_some()));
        let failed = layers.enumerate().filter_map(|(index, layer)| match layer {
            Some(Ok(_)) => None,
            Some(Err(reason)) => Some((index as u32, reason.clone())),
            None => Some((index as u32, "not read".into())),
        });
        Self { failed: failed.collect(), contents, verified }
    }
}

async fn finish(image: &Image, store: &SharedStore, searching: &Searching, composed: Composed) -> Inventoried {
    let Composed { contents, failed, verified } = composed;
    let inventory = ImageInventory::new(image, contents, searching);
    if verified {
        let key = key::image(&image.digest, searching.set(), compose::VERSION);
        match wire::seal(Kind::ImageInventory, &key, &inventory) {
            Ok(sealed) => put(store, &key, sealed).await,
            Err(error) => tracing::warn!("cannot keep the inventory of {}: {error}", image.digest),
        }
    }
    Inventoried { inventory, failed }
}

/// The image with this manifest digest, recalled from the store without asking any registry; it was found in `source`.
pub async fn recall_pinned(source: &'static str, digest: Digest, planner: &Planner) -> Option<(Image, Inventoried)> {
    let inventory = recalled(&digest, planner).await?;
    let ImageInventory { platform, config, annotations, layers, contents: _ } = &inventory;
    let (platform, config) = (platform.clone(), config.clone());
    let image = Image { source, digest, platform, config, annotations: annotations.clone(), layers: layers.clone() };
    Some((image, Inventoried { inventory, failed: Vec::new() }))
}

async fn recall(image: &Image, planner: &Planner) -> Option<ImageInventory> {
    let inventory = recalled(&image.digest, planner).await?;
    (inventory.layers == image.layers && inventory.config == documents(image, planner.searching()).config)
        .then_some(inventory)
}

/// The key of the inventory of the image with this manifest digest.
pub fn key(manifest: &Digest, planner: &Planner) -> String {
    key::image(manifest, planner.searching().set(), compose::VERSION)
}

async fn recalled(manifest: &Digest, planner: &Planner) -> Option<ImageInventory> {
    let key = key(manifest, planner);
    // A store that cannot be read costs time, never a scan.
    let bytes = planner.doors().store.get(&key).await.unwrap_or_else(|error| {
        tracing::warn!("cannot read from the store: {error}");
        None
    });
    wire::open(Kind::ImageInventory, &key, &bytes?).ok()
}

async fn put(store: &SharedStore, key: &str, object: Vec<u8>) {
    if let Err(error) = store.put(key, object).await {
        tracing::warn!("cannot write to the store: {error}");
    }
}
