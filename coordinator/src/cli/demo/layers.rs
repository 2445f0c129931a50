//! The layers of a fleet, as its images name them and as the registry was asked for them.

use std::collections::{HashMap, HashSet};

use lazaret::digest::Digest;
use lazaret::image::Image;

use super::super::Failure;
use super::Stage;
use super::figures::First;

/// The layers of all images, added up.
#[derive(Default)]
pub(super) struct Layers {
    sizes: HashMap<Digest, u64>,
    bases: HashSet<Digest>,
    references: u64,
    bytes: u64,
}

impl Layers {
    /// Adds an image's.
    pub(super) fn add(&mut self, image: &Image) {
        self.bases.extend(image.layers.first().map(|layer| layer.blob.digest));
        for layer in &image.layers {
            self.sizes.insert(layer.blob.digest, layer.blob.size);
            self.references += 1;
            self.bytes += layer.blob.size;
        }
    }

    /// Adds them up, beside what the registry counted.
    ///
    /// # Errors
    /// The registry counted anything else than one GET for each distinct layer. What a farm knows from an earlier run it need
    /// not get.
    pub(super) fn count(&self, stage: &Stage, figures: &mut First, may_know: bool) -> Result<(), Failure> {
        let gets = || self.sizes.keys().map(|digest| stage.registry.blob_gets(digest));
        figures.repositories = stage.fleet.repositories().count();
        figures.distinct_bases = self.bases.len();
        figures.layer_references = self.references;
        figures.distinct_layers = self.sizes.len() as u64;
        figures.bytes_if_each_image_were_pulled = self.bytes;
        figures.layer_gets = gets().map(u64::from).sum();
        figures.most_gets_of_one_layer = gets().max().unwrap_or_default();
        let fewest = gets().min().unwrap_or_default();
        if figures.most_gets_of_one_layer > 1 || fewest == 0 && !may_know {
            return Err(Failure::new(format_args!(
                "{} GETs for {} distinct layers, at most {} and at least {fewest} for one: this is a bug of lazaret",
                figures.layer_gets, figures.distinct_layers, figures.most_gets_of_one_layer
            )));
        }
        let pulled: u64 =
            self.sizes.iter().filter(|(digest, _)| stage.registry.blob_gets(digest) > 0).map(|(_, size)| size).sum();
        if pulled != figures.bytes_pulled {
            return Err(Failure::new(format_args!(
                "the ledger says that {} bytes were pulled, the registry {pulled}: this is a bug of lazaret",
                figures.bytes_pulled
            )));
        }
        Ok(())
    }
}
