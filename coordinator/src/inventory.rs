//! The image inventory: what the store keeps of an image, enough to report on it again without its registry.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use lazaret::image::{Image, ImageConfig, Layer, Platform};

use crate::compose::Contents;
use crate::documents::{Documents, documents};
use crate::local::Searching;

/// An image with its composed contents. Kept under the digest of its manifest, and only when nothing in it failed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ImageInventory {
    /// The platform it is for.
    pub platform: Platform,
    /// Its configuration; secrets in it are masked.
    pub config: ImageConfig,
    /// Annotations of the manifest, likewise.
    pub annotations: BTreeMap<String, String>,
    /// Its layers, from the bottom up.
    pub layers: Vec<Layer>,
    /// What the layers compose to.
    pub contents: Contents,
}

impl ImageInventory {
    /// The inventory of `image`.
    pub fn new(image: &Image, mut contents: Contents, searching: &Searching) -> Self {
        let Documents { config, annotations, exposures, gaps } = documents(image, searching);
        contents.exposures.extend(exposures);
        contents.exposures.sort_unstable();
        contents.gaps.extend(gaps);
        contents.gaps.sort_unstable();
        Self { platform: image.platform.clone(), config, annotations, layers: image.layers.clone(), contents }
    }
}
