//! A writer of OCI image layouts (OCI image specification, image-layout.md).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lazaret::digest::Digest;
use serde_json::{Value, json};

use crate::tar::Tar;

/// One layer and the instruction that is said to have made it.
pub struct Step {
    /// The instruction, as a builder writes it.
    pub created_by: &'static str,
    /// What it put there.
    pub tar: Tar,
}

/// Writes a layout with one image into `directory`, which is made, under the name `tag`.
///
/// # Errors
/// The file system refused.
pub fn write(directory: &Path, tag: &str, labels: &Value, steps: Vec<Step>) -> io::Result<()> {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let mut layers = Vec::new();
    let mut diff_ids = Vec::new();
    let mut history = Vec::new();
    for step in steps {
        let (tar, blob) = step.tar.gzip()?;
        diff_ids.push(Digest::of(&tar).to_string());
        layers.push(put(&blobs, "application/vnd.oci.image.layer.v1.tar+gzip", &blob)?);
        history.push(json!({ "created": CREATED, "created_by": step.created_by }));
    }
    let config = json!({
        "architecture": lazaret::image::Platform::host().architecture,
        "os": "linux",
        "created": CREATED,
        "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": history,
    });
    let config = put(&blobs, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers });
    let mut manifest = put(&blobs, media_type, manifest.to_string().as_bytes())?;
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(directory.join("index.json"), index.to_string())?;
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
}

const CREATED: &str = "2024-01-01T00:00:00Z";

/// Puts a blob under its digest and describes it.
fn put(blobs: &Path, media_type: &str, content: &[u8]) -> io::Result<Value> {
    let digest = Digest::of(content);
    let path: PathBuf = blobs.join(digest.hex());
    fs::write(path, content)?;
    Ok(json!({ "mediaType": media_type, "digest": digest.to_string(), "size": content.len() }))
}
