//! The figures of a demonstration, as they are shown and as they are kept.

use serde::Serialize;

/// Everything that was counted.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// What the fleet was made from.
    pub(super) seed: u64,
    /// How many images it has.
    pub(super) images: u32,
    /// How many worker processes there were; nothing without a farm.
    pub(super) farm_workers: Option<u16>,
    pub(super) first: First,
    pub(super) second: Second,
    /// From beginning to end.
    pub(super) seconds: f64,
}

/// The night in which everything is scanned.
#[derive(Debug, Default, Serialize)]
pub(super) struct First {
    /// Repositories in the registry.
    pub(super) repositories: usize,
    /// Different layers at the bottom of images.
    pub(super) distinct_bases: usize,
    /// Layers of all images.
    pub(super) layer_references: u64,
    /// Different ones among them.
    pub(super) distinct_layers: u64,
    /// GETs of layers that the registry counted.
    pub(super) layer_gets: u64,
    /// How often the layer was fetched that was fetched most often.
    pub(super) most_gets_of_one_layer: u32,
    /// Bytes of the layers that were fetched.
    pub(super) bytes_pulled: u64,
    /// Bytes of the layers of each image, one after the other.
    pub(super) bytes_if_each_image_were_pulled: u64,
    /// Layers analysed, and layers known from an earlier run or to another process.
    pub(super) layers_analysed: u64,
    pub(super) layers_reused: u64,
    /// CPU time of the analyses.
    pub(super) analysis_cpu_seconds: f64,
    /// Packages of all images.
    pub(super) packages: u64,
    /// Advisories that concern a package, in all images; as many as the fleet knows of.
    pub(super) findings: u64,
    pub(super) expected_findings: u64,
    pub(super) seconds: f64,
}

/// The night with a new snapshot.
#[derive(Debug, Default, Serialize)]
pub(super) struct Second {
    /// Blobs that were fetched, layers and configurations.
    pub(super) blob_gets: u64,
    /// Manifests that were fetched.
    pub(super) manifest_gets: u64,
    /// Tags that were asked for the digest they stand for.
    pub(super) manifest_heads: u64,
    /// Findings that the first night did not have.
    pub(super) new_findings: u64,
    /// Images that have one of these.
    pub(super) images_with_new_findings: u64,
    pub(super) findings: u64,
    pub(super) expected_findings: u64,
    pub(super) seconds: f64,
}
