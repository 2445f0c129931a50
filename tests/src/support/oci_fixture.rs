//! A small OCI image layout, made in memory: blobs, manifests, an index.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The media type of a layer that is not compressed; `+gzip` and `+zstd` may follow.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout under construction.
#[derive(Clone, Debug, Default)]
pub struct OciFixture {
    /// Content by digest (`sha256:…`).
    pub blobs: BTreeMap<String, Vec<u8>>,
    entries: Vec<Value>,
}

impl OciFixture {
    /// Adds a blob; its descriptor.
    pub fn blob(&mut self, media_type: &str, content: Vec<u8>) -> Value {
        let digest = digest(&content);
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
        self.blobs.insert(digest, content);
        descriptor
    }

    /// Adds an image of `layers` (media type, blob, and the tar it unpacks to) for `linux/architecture`; the descriptor
    /// of its manifest.
    pub fn image(&mut self, architecture: &str, layers: &[(String, Vec<u8>, Vec<u8>)]) -> Value {
        let diff_ids: Vec<_> = layers.iter().map(|(_, _, tar)| digest(tar)).collect();
        let config = json!({"architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": []});
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().into_bytes());
        let layers: Vec<_> = layers.iter().map(|(media_type, blob, _)| self.blob(media_type, blob.clone())).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().into_bytes());
        descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
        descriptor
    }

    /// Adds an index of `images`; its descriptor.
    pub fn index(&mut self, images: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": images});
        self.blob(INDEX, index.to_string().into_bytes())
    }

    /// Gives the content of `descriptor` a name in the layout.
    pub fn tag(&mut self, name: &str, descriptor: &Value) {
        let mut entry = descriptor.clone();
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        self.entries.push(entry);
    }

    /// Writes the layout into `directory`.
    pub fn write(&self, directory: &Path) {
        let blobs = directory.join("blobs/sha256");
        fs::create_dir_all(&blobs).expect("a directory");
        for (digest, content) in &self.blobs {
            fs::write(blobs.join(digest.trim_start_matches("sha256:")), content).expect("a blob");
        }
        fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a marker");
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        fs::write(directory.join("index.json"), index.to_string()).expect("an index");
    }
}

/// The digest of `content` as descriptors have it.
pub fn digest(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// `length` bytes that do not compress and are always the same; never a valid tar, which a transfer does not care about.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
