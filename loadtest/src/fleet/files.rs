//! Manifests and configurations, and what a digest names.

use bytes::Bytes;
use lazaret::digest::Digest;
use serde_json::json;

use super::{Fleet, LayerFacts, Named};

/// The media type of manifests.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Wherever it is made: digests are the same on every machine.
const ARCHITECTURE: &str = "amd64";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The two documents of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFiles {
    /// The manifest.
    pub manifest: Bytes,
    /// Its digest.
    pub manifest_digest: Digest,
    /// The configuration.
    pub config: Bytes,
    /// Its digest.
    pub config_digest: Digest,
}

impl Fleet {
    /// The manifest and the configuration of an image; its layers are generated unless their digests are known.
    pub fn files(&self, image: u32) -> ImageFiles {
        let facts: Vec<LayerFacts> = self.layers(image).into_iter().map(|layer| self.facts(layer)).collect();
        let recipes = self.recipes(image);
        let (repository, tag) = self.name(image);
        let created = "2024-01-01T00:00:00Z";
        let config = json!({
            "architecture": ARCHITECTURE,
            "os": "linux",
            "created": created,
            "config": { "Labels": {
                "org.opencontainers.image.title": repository,
                "org.opencontainers.image.version": tag,
            } },
            "rootfs": { "type": "layers", "diff_ids": facts.iter().map(|layer| layer.diff_id).collect::<Vec<_>>() },
            "history": recipes
                .iter()
                .map(|layer| json!({ "created": created, "created_by": layer.created_by }))
                .collect::<Vec<_>>(),
        });
        let config = Bytes::from(config.to_string());
        let config_digest = Digest::of(&config);
        let layers = facts
            .iter()
            .map(|layer| json!({ "mediaType": LAYER, "digest": layer.digest, "size": layer.size }))
            .collect::<Vec<_>>();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": config_digest, "size": config.len() },
            "layers": layers,
        });
        let manifest = Bytes::from(manifest.to_string());
        let manifest_digest = Digest::of(&manifest);
        self.remember(config_digest, Named::Config(image));
        self.remember(manifest_digest, Named::Manifest(image));
        ImageFiles { manifest, manifest_digest, config, config_digest }
    }

    /// The manifest with this digest in a repository.
    pub fn manifest_by_digest(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        match self.named(repository, digest)? {
            Named::Manifest(image) => Some(self.files(image).manifest),
            _ => None,
        }
    }

    /// The layer or configuration with this digest in a repository.
    pub fn blob_by_digest(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        match self.named(repository, digest)? {
            Named::Layer(layer) => Some(self.blob(layer)),
            Named::Config(image) => Some(self.files(image).config),
            Named::Manifest(_) => None,
        }
    }

    /// What a digest names. Where nobody asked for it yet, as after a restart, it may be of an image of the repository:
    /// all of these are generated then.
    fn named(&self, repository: &str, digest: &Digest) -> Option<Named> {
        let known = || self.named.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(digest).copied();
        known().or_else(|| {
            self.images_of(repository).for_each(|image| drop(self.files(image)));
            known()
        })
    }
}
