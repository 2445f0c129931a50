//! Small layouts and archives for the tests of the sources.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::digest::Digest;
use crate::manifest::{CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES};

/// Files by name; an OCI layout or the inside of an archive.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Puts a blob in and returns its descriptor.
pub(super) fn put(files: &mut Files, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    files.insert(format!("blobs/sha256/{}", digest.hex()), bytes.to_vec());
    json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
}

/// A layer: a tar with one file.
pub(super) fn layer(name: &str) -> Vec<u8> {
    tar(&[(name, Member::File(b"content"))])
}

pub(super) fn config(layers: &[Vec<u8>], platform: &str) -> Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    json!({"os": os, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": diff_ids}})
}

/// Puts an image in and returns its descriptor, with the platform.
pub(super) fn image(files: &mut Files, layers: &[Vec<u8>], platform: &str) -> Value {
    image_with(files, layers, &config(layers, platform), |_| {})
}

pub(super) fn image_with(
    files: &mut Files,
    layers: &[Vec<u8>],
    config: &Value,
    change: impl FnOnce(&mut Value),
) -> Value {
    let blobs: Vec<Value> =
        layers.iter().map(|bytes| put(files, "application/vnd.oci.image.layer.v1.tar", bytes)).collect();
    let stored = put(files, CONFIG_TYPES[0], config.to_string().as_bytes());
    let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": stored, "layers": blobs});
    change(&mut manifest);
    let mut descriptor = put(files, MANIFEST_TYPES[0], manifest.to_string().as_bytes());
    descriptor["platform"] = json!({"os": config["os"], "architecture": config["architecture"]});
    descriptor
}

/// Puts an index in and returns its descriptor.
pub(super) fn index(files: &mut Files, entries: &[Value]) -> Value {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": entries});
    put(files, INDEX_TYPES[0], index.to_string().as_bytes())
}

/// Writes `index.json`: descriptors, each with a tag unless it is empty.
pub(super) fn top(files: &mut Files, entries: &[(&str, Value)]) {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(tag, descriptor)| {
            let mut entry = descriptor.clone();
            if !tag.is_empty() {
                entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
            }
            entry
        })
        .collect();
    files.insert("index.json".into(), json!({"schemaVersion": 2, "manifests": entries}).to_string().into_bytes());
    files.insert("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
}

pub(super) fn directory(files: &Files) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    directory
}

/// A member of a tar.
#[derive(Clone, Copy)]
pub(super) enum Member<'a> {
    File(&'a [u8]),
    Symlink(&'a str),
    Hardlink(&'a str),
}

pub(super) fn tar_of(files: &Files) -> Vec<u8> {
    let members: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), Member::File(bytes))).collect();
    tar(&members)
}

pub(super) fn tar(members: &[(&str, Member<'_>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for &(name, member) in members {
        let (kind, content, link) = match member {
            Member::File(content) => (b'0', content, ""),
            Member::Symlink(target) => (b'2', &b""[..], target),
            Member::Hardlink(target) => (b'1', &b""[..], target),
        };
        if name.len() > 100 {
            tar.extend(header("././@LongLink", b'L', name.len() as u64 + 1, ""));
            padded(&mut tar, format!("{name}\0").as_bytes());
        }
        tar.extend(header(&name[..name.len().min(100)], kind, content.len() as u64, link));
        padded(&mut tar, content);
    }
    tar.extend([0; 1024]);
    tar
}

pub(super) fn padded(tar: &mut Vec<u8>, content: &[u8]) {
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

pub(super) fn header(name: &str, kind: u8, size: u64, link: &str) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    header[156] = kind;
    header[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What `docker save` of old wrote: the configuration, the layers and last the manifest.
pub(super) fn docker_save(layers: &[Vec<u8>], tags: &[&str]) -> Files {
    let config = config(layers, "linux/amd64").to_string().into_bytes();
    let name = format!("{}.json", Digest::of(&config).hex());
    let mut files = Files::from([(name.clone(), config)]);
    let mut names = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        names.push(format!("layer{index}/layer.tar"));
        files.insert(format!("layer{index}/layer.tar"), layer.clone());
    }
    let manifest = json!([{"Config": name, "RepoTags": tags, "Layers": names}]);
    files.insert("manifest.json".into(), manifest.to_string().into_bytes());
    files
}

pub(super) fn write(directory: &Path, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
