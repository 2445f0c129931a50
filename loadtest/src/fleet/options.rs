//! The shape of a fleet.

use std::ops::RangeInclusive;

/// What a fleet is made of; two fleets with equal options are equal, byte for byte, on any machine.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetOptions {
    /// Everything follows from it.
    pub seed: u64,
    /// How many images there are.
    pub images: u32,
    /// How many of them are tags of one repository.
    pub tags_per_repository: u32,
    /// How many base images there are.
    pub bases: u32,
    /// How many different layers there are for the middle of images.
    pub middle_layers: u32,
    /// How many layers an image has.
    pub layers_per_image: RangeInclusive<u32>,
    /// The part of an image's layers that it has in common with others, from 0 to 1.
    pub share: f64,
    /// The exponent of Zipf's law by which bases and middle layers are chosen.
    pub zipf: f64,
    /// How many packages a layer above the base installs.
    pub packages_per_layer: RangeInclusive<u32>,
    /// The size of layers relative to Docker Hub's, where they have 8 MB in the median and 75 MB on average.
    pub scale: f64,
    /// No layer has more bytes than this besides its packages.
    pub largest_layer: u64,
    /// The level of gzip: 0 stores, 1 is fast, 9 is small.
    pub level: u32,
    /// Generated blobs that are kept for the next one who asks, in bytes.
    pub cache_bytes: usize,
}

impl Default for FleetOptions {
    /// A few hundred images over shared bases.
    fn default() -> Self {
        Self::of(300)
    }
}

impl FleetOptions {
    /// A fleet of `images` images of the usual shape: thirty bases, eight layers, four fifths of them shared.
    pub fn of(images: u32) -> Self {
        Self {
            seed: 1,
            images,
            tags_per_repository: 8,
            bases: 30,
            middle_layers: images / 4 + 8,
            layers_per_image: 5..=11,
            share: 0.8,
            zipf: 1.0,
            packages_per_layer: 3..=10,
            // Some hundred megabytes for hundreds of images, tiny layers for tens of thousands.
            scale: if images <= 1000 { 0.003 } else { 0.0003 },
            largest_layer: 8 << 20,
            level: 1,
            cache_bytes: 64 << 20,
        }
    }
}
