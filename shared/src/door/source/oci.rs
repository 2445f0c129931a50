//! What an OCI layout says, wherever it lies: `index.json` and blobs under their digests (image-layout.md).

use std::collections::BTreeSet;

use super::resolve;
use super::{PlatformChoice, SourceError};
use crate::digest::Digest;
use crate::image::Image;
use crate::manifest::{Document, IndexEntry, MAX_CONFIG};

/// The annotation that holds a tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation in which containerd and Docker keep the full name.
const IMAGE_NAME: &str = "io.containerd.image.name";

/// Small files of a layout or an archive, by their name in it.
pub(super) trait Documents {
    /// The whole content, at most `limit` bytes of it; `None` where there is no such file.
    fn document(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;
}

/// The images of a layout. `wanted` is a tag, a full name or a digest; `what` names the layout in messages.
pub(super) fn images(
    source: &'static str,
    what: &str,
    files: &dyn Documents,
    wanted: Option<&str>,
    choice: &PlatformChoice,
) -> Result<Vec<Image>, SourceError> {
    let index = files
        .document("index.json", MAX_CONFIG)?
        .ok_or_else(|| SourceError::NotAnImage { what: what.to_owned(), reason: "there is no index.json".into() })?;
    let malformed = |error| SourceError::malformed(format!("index.json of {what}"), error);
    let entries = match Document::read(&index, "").map_err(malformed)? {
        Document::Index(index) => index.manifests,
        Document::Manifest(_) => {
            return Err(SourceError::malformed(format!("index.json of {what}"), "it is a manifest, not an index"));
        }
    };
    let roots = roots(what, entries, wanted)?;
    resolve::images(source, &roots, choice, &mut |blob, limit| {
        files.document(&blob_name(&blob.digest), limit)?.ok_or(SourceError::BlobMissing { digest: blob.digest })
    })
}

/// The name of a blob inside a layout. It is made from 32 bytes, never from text.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// The entries that `wanted` means: several only if they are one image for several platforms.
fn roots(what: &str, entries: Vec<IndexEntry>, wanted: Option<&str>) -> Result<Vec<IndexEntry>, SourceError> {
    let entries: Vec<IndexEntry> = entries.into_iter().filter(|entry| !entry.is_attestation()).collect();
    let there = || entries.iter().map(name).collect::<BTreeSet<_>>().into_iter().collect();
    let digest = wanted.and_then(|wanted| wanted.parse::<Digest>().ok());
    let meant = |entry: &IndexEntry| match (wanted, digest) {
        (None, _) => true,
        (Some(_), Some(digest)) => entry.digest == digest,
        (Some(wanted), None) => {
            [REF_NAME, IMAGE_NAME].iter().any(|key| entry.annotations.get(*key).is_some_and(|tag| tag == wanted))
        }
    };
    let mut roots: Vec<IndexEntry> = entries.iter().filter(|entry| meant(entry)).cloned().collect();
    let what = || what.to_owned();
    match (roots.len(), wanted) {
        (0, Some(wanted)) => {
            return Err(SourceError::NoSuchImage { what: what(), wanted: super::shown(wanted), there: there() });
        }
        (0, None) => {
            return Err(SourceError::NotAnImage { what: what(), reason: "its index.json names no image".into() });
        }
        (1, _) => return Ok(roots),
        _ => {}
    }
    if digest.is_some() || roots.iter().all(|root| root.digest == roots[0].digest && root.platform.is_none()) {
        roots.truncate(1);
        return Ok(roots);
    }
    let distinct: BTreeSet<String> = roots.iter().filter(|r| r.annotations.contains_key(REF_NAME)).map(name).collect();
    if distinct.len() > 1 || roots.iter().any(|root| root.platform.is_none()) {
        return Err(SourceError::SeveralImages { what: what(), there: there() });
    }
    Ok(roots)
}

/// What a person would call an entry: its full name, its tag, or else its digest.
fn name(entry: &IndexEntry) -> String {
    let annotation = |key| entry.annotations.get(key).filter(|name| !name.is_empty()).cloned();
    annotation(IMAGE_NAME).or_else(|| annotation(REF_NAME)).unwrap_or_else(|| entry.digest.to_string())
}
