//! Images of which nothing exists but manifest and configuration, for load tests of everything around the analysis: their
//! layers are named and never fetched.

use bytes::Bytes;
use lazaret::digest::Digest;
use lazaret::image::Platform;
use serde_json::json;

use super::content::{Blob, Content, Document};

/// A number of such images; no two have a layer in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stubs {
    /// Other seeds are other layers.
    pub seed: u64,
    /// How many images.
    pub images: u32,
    /// How many layers each has.
    pub layers: u32,
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Stubs {
    /// The digest of a layer, which is that of what it unpacks to as well: it is not compressed.
    fn layer(&self, image: u32, index: u32) -> Digest {
        Digest::of(format!("stub {} {image} {index}", self.seed).as_bytes())
    }

    fn config(&self, image: u32) -> Bytes {
        let layers: Vec<Digest> = (0..self.layers).map(|index| self.layer(image, index)).collect();
        let config = json!({
            "architecture": Platform::host().architecture,
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": layers },
        });
        config.to_string().into()
    }

    fn manifest(&self, image: u32) -> Bytes {
        let config = self.config(image);
        let layers: Vec<_> = (0..self.layers)
            .map(|index| {
                let digest = self.layer(image, index);
                json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 1024 })
            })
            .collect();
        let config = json!({
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::of(&config),
            "size": config.len(),
        });
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }).to_string().into()
    }

    /// Each image is the only tag of its repository.
    fn image(&self, repository: &str) -> Option<u32> {
        repository.strip_prefix("stub/")?.parse().ok().filter(|image| *image < self.images)
    }

    fn document(&self, image: u32) -> Document {
        let body = self.manifest(image);
        Document { media_type: MANIFEST.to_owned(), digest: Digest::of(&body), body }
    }
}

impl Content for Stubs {
    fn by_tag(&self, repository: &str, tag: &str) -> Option<Document> {
        self.image(repository).filter(|_| tag == "1").map(|image| self.document(image))
    }

    fn by_digest(&self, repository: &str, digest: &Digest) -> Option<Document> {
        self.image(repository).map(|image| self.document(image)).filter(|document| document.digest == *digest)
    }

    fn blob(&self, repository: &str, digest: &Digest) -> Option<Blob> {
        let config = self.config(self.image(repository)?);
        (Digest::of(&config) == *digest).then_some(Blob::Memory(config))
    }

    fn tags(&self, repository: &str) -> Option<Vec<String>> {
        self.image(repository).map(|_| vec!["1".to_owned()])
    }

    fn repositories(&self, last: &str, limit: usize) -> Vec<String> {
        let mut names: Vec<String> = (0..self.images).map(|image| format!("stub/{image}")).collect();
        names.sort_unstable();
        names.into_iter().filter(|name| name.as_str() > last).take(limit).collect()
    }

    fn len(&self) -> usize {
        self.images as usize
    }

    fn name(&self, image: usize) -> Option<(String, String)> {
        (image < self.len()).then(|| (format!("stub/{image}"), "1".to_owned()))
    }
}
