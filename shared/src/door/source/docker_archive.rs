//! What `docker save` wrote, wherever it lies: `manifest.json`, configurations and layers under free names.

use std::collections::HashMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use sha2::Digest as _;

use super::oci::Documents;
use super::{PlatformChoice, SourceError, resolve, shown};
use crate::digest::Digest;
use crate::image::{Descriptor, Image, Layer, null_is_default};
use crate::manifest::MAX_CONFIG;
use crate::reference::RegistryReference;

/// Layers of an archive, by the name under which `manifest.json` knows them.
pub(super) trait Layers: Documents {
    /// The entry behind a name, links followed; `None` where there is none.
    fn layer(&self, name: &str) -> Result<Option<Measured>, SourceError>;
}

/// One layer's entry.
pub(super) struct Measured {
    /// Its own name.
    pub(super) entry: String,
    /// Its size in bytes.
    pub(super) size: u64,
    /// What [`digest_of_entry`] found.
    pub(super) digest: Option<Digest>,
}

/// An image of an archive, and the entry in which each of its blobs lies.
pub(super) struct Saved {
    pub(super) image: Image,
    pub(super) entries: HashMap<Digest, String>,
}

/// One image as `manifest.json` lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default, deserialize_with = "null_is_default")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<String>,
}

/// The image `wanted` (a name, or `@N` for the N-th), or the only one.
pub(super) fn image(
    source: &'static str,
    what: &str,
    files: &dyn Layers,
    wanted: Option<&str>,
) -> Result<Saved, SourceError> {
    let manifest = files
        .document("manifest.json", MAX_CONFIG)?
        .ok_or_else(|| SourceError::NotAnImage { what: what.to_owned(), reason: "there is no manifest.json".into() })?;
    let malformed =
        |reason: &dyn ToString| SourceError::malformed(format!("manifest.json of {what}"), reason.to_string());
    let listed: Vec<Listed> = serde_json::from_slice(&manifest).map_err(|error| malformed(&error))?;
    let Listed { config: name, layers, .. } = choose(what, listed, wanted)?;
    let absent = |name: &str| malformed(&format!("it names `{name}`, which is not in the archive"));

    let bytes = files.document(&name, MAX_CONFIG)?.ok_or_else(|| absent(&name))?;
    let digest = Digest::of(&bytes);
    if let Some(expected) = digest_in_name(&name).filter(|expected| *expected != digest) {
        return Err(SourceError::DigestMismatch { what: "the configuration".into(), expected, found: digest });
    }
    let config = resolve::read_config(&bytes, format!("configuration {digest}"))?;
    let diff_ids = &config.rootfs.diff_ids;
    if diff_ids.len() != layers.len() {
        let reason = format!("it lists {} layers, the configuration {} diff IDs", layers.len(), diff_ids.len());
        return Err(malformed(&reason));
    }
    let mut entries = HashMap::new();
    let mut known: HashMap<String, (Digest, u64)> = HashMap::new();
    let mut resolved = Vec::with_capacity(layers.len());
    for (name, &diff_id) in layers.iter().zip(diff_ids) {
        let measured = match known.get(name) {
            Some(&measured) => measured,
            None => {
                let Measured { entry, size, digest } = files.layer(name)?.ok_or_else(|| absent(name))?;
                let digest = digest.unwrap_or(diff_id);
                entries.entry(digest).or_insert(entry);
                *known.entry(name.clone()).or_insert((digest, size))
            }
        };
        let (digest, size) = measured;
        resolved.push(Layer { blob: Descriptor { media_type: String::new(), digest, size }, diff_id });
    }
    let platform = resolve::platform(&config, None);
    let image = Image { source, digest, platform, config, annotations: Default::default(), layers: resolved };
    Ok(Saved { image, entries })
}

/// The image, unless another platform was asked for in so many words.
pub(super) fn chosen(image: Image, choice: &PlatformChoice) -> Result<Image, SourceError> {
    match choice {
        PlatformChoice::Exactly(wanted) if !image.platform.serves(wanted) => {
            Err(SourceError::NoSuchPlatform { wanted: wanted.clone(), there: vec![image.platform] })
        }
        _ => Ok(image),
    }
}

fn choose(what: &str, mut listed: Vec<Listed>, wanted: Option<&str>) -> Result<Listed, SourceError> {
    let tags = |listed: &[Listed]| listed.iter().flat_map(|image| image.repo_tags.iter().cloned()).collect();
    let position = match wanted {
        None if listed.len() > 1 => {
            return Err(SourceError::SeveralImages { what: what.to_owned(), there: tags(&listed) });
        }
        None => Some(0),
        Some(wanted) => match wanted.strip_prefix('@').and_then(|number| number.parse().ok()) {
            Some(number) => Some(number),
            None => {
                let full = full_name(wanted);
                listed
                    .iter()
                    .position(|image| image.repo_tags.iter().any(|tag| tag == wanted || full_name(tag) == full))
            }
        },
    };
    match (position.filter(|&position| position < listed.len()), wanted) {
        (Some(position), _) => Ok(listed.swap_remove(position)),
        (None, Some(wanted)) => {
            Err(SourceError::NoSuchImage { what: what.to_owned(), wanted: shown(wanted), there: tags(&listed) })
        }
        (None, None) => {
            Err(SourceError::NotAnImage { what: what.to_owned(), reason: "its manifest.json lists no image".into() })
        }
    }
}

/// `alpine:3.20` and `docker.io/library/alpine:3.20` are one image; what is no name stands for itself.
fn full_name(name: &str) -> String {
    name.parse::<RegistryReference>().map_or_else(|_| name.to_owned(), |name| name.to_string())
}

/// The digest in names such as `<hex>.json`, `sha256:<hex>` and `blobs/sha256/<hex>`.
fn digest_in_name(name: &str) -> Option<Digest> {
    let last = name.rsplit(['/', ':']).next().unwrap_or(name);
    format!("sha256:{}", last.strip_suffix(".json").unwrap_or(last)).parse().ok()
}

/// The digest of a layer's entry, where it cannot be the layer's diff ID: an entry among an OCI layout's blobs is
/// called by it, and a compressed one is hashed here. `None`: the entry is the tar itself, whose digest is the diff ID.
pub(super) fn digest_of_entry(entry: &str, reader: &mut dyn BufRead) -> io::Result<Option<Digest>> {
    if let Some(hex) = entry.strip_prefix("blobs/sha256/")
        && let Ok(digest) = format!("sha256:{hex}").parse()
    {
        return Ok(Some(digest));
    }
    if !is_compressed(reader.fill_buf()?) {
        return Ok(None);
    }
    let mut hashing = Hashing::new(reader);
    hashing.drain()?;
    Ok(Some(hashing.digest()))
}

/// Whether content begins like gzip or zstd.
pub(super) fn is_compressed(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b]) || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

/// A reader that hashes what goes through it.
pub(super) struct Hashing<R> {
    reader: R,
    hasher: sha2::Sha256,
}

impl<R: BufRead> Hashing<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, hasher: sha2::Sha256::new() }
    }

    /// Reads to the end.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        loop {
            let filled = self.fill_buf()?.len();
            if filled == 0 {
                return Ok(());
            }
            self.consume(filled);
        }
    }

    pub(super) fn digest(self) -> Digest {
        Digest::from_bytes(self.hasher.finalize().into())
    }
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // The buffer is still filled, so looking at it again reads nothing and cannot fail.
        if let Ok(buffer) = self.reader.fill_buf() {
            self.hasher.update(buffer.get(..amount).unwrap_or(buffer));
        }
        self.reader.consume(amount);
    }
}

impl<R: BufRead> io::Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// Two entries of one name: the first for one reader and the last for another.
pub(super) fn twice(name: &str) -> SourceError {
    SourceError::malformed("the archive", format!("it has two entries called `{name}`"))
}
