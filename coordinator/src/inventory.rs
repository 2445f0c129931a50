//! The image inventory: what the store keeps of an image, enough to report on it again without its registry.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use lazaret::image::{Image, ImageConfig, Layer, Platform};

use crate::compose::Contents;

/// An image with its composed contents. Kept under the digest of its manifest, and only when nothing in it failed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ImageInventory {
    /// The platform it is for.
    pub platform: Platform,
    /// Its configuration.
    pub config: ImageConfig,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Its layers, from the bottom up.
    pub layers: Vec<Layer>,
    /// What the layers compose to.
    pub contents: Contents,
}

impl ImageInventory {
    /// The inventory of `image`.
    pub fn new(image: &Image, contents: Contents) -> Self {
        Self {
            platform: image.platform.clone(),
            config: image.config.clone(),
            annotations: image.annotations.clone(),
            layers: image.layers.clone(),
            contents,
        }
    }
}
