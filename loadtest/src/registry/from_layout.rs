//! An OCI image layout as a registry has it, so that real images are pulled over HTTP and counted.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lazaret::digest::Digest;
use serde_json::Value;

use super::content::{Blob, Content, Document, about};

/// The images of a layout: `family:1.0` is tag `1.0` of repository `family`, and `alpine` is `alpine:latest`.
pub(super) struct LayoutContent {
    blobs: PathBuf,
    repositories: BTreeMap<String, BTreeMap<String, Named>>,
    /// Media types of manifests, also of those that an index names.
    media_types: HashMap<Digest, String>,
    names: Vec<(String, String)>,
}

#[derive(Clone)]
struct Named {
    digest: Digest,
    media_type: String,
}

const REF_NAME: &str = "org.opencontainers.image.ref.name";

impl LayoutContent {
    /// Reads `index.json` of the layout in `directory`.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join("index.json");
        let text = fs::read(&path).map_err(|error| about(&path, &error))?;
        let index: Value = serde_json::from_slice(&text).map_err(|error| about(&path, &error.into()))?;
        let mut content = Self {
            blobs: directory.join("blobs/sha256"),
            repositories: BTreeMap::new(),
            media_types: HashMap::new(),
            names: Vec::new(),
        };
        for descriptor in descriptors(&index) {
            let Some(named) = named(descriptor) else { continue };
            content.add_media_type(&named);
            let Some(name) = descriptor["annotations"][REF_NAME].as_str() else { continue };
            let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
            content.names.push((repository.to_owned(), tag.to_owned()));
            content.repositories.entry(repository.to_owned()).or_default().insert(tag.to_owned(), named);
        }
        Ok(content)
    }

    /// Remembers a manifest's media type, and those of the manifests of an index.
    fn add_media_type(&mut self, named: &Named) {
        self.media_types.insert(named.digest, named.media_type.clone());
        let is_index = named.media_type.contains("index") || named.media_type.contains("manifest.list");
        let children = is_index.then(|| fs::read(self.path(&named.digest)).ok()).flatten();
        let children: Option<Value> = children.and_then(|text| serde_json::from_slice(&text).ok());
        for child in children.iter().flat_map(descriptors).filter_map(self::named) {
            self.media_types.insert(child.digest, child.media_type);
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }
}

fn descriptors(index: &Value) -> impl Iterator<Item = &Value> {
    index["manifests"].as_array().into_iter().flatten()
}

fn named(descriptor: &Value) -> Option<Named> {
    let digest = descriptor["digest"].as_str()?.parse().ok()?;
    Some(Named { digest, media_type: descriptor["mediaType"].as_str()?.to_owned() })
}

impl Content for LayoutContent {
    fn by_tag(&self, repository: &str, tag: &str) -> Option<Document> {
        let digest = self.repositories.get(repository)?.get(tag)?.digest;
        self.by_digest(repository, &digest)
    }

    fn by_digest(&self, repository: &str, digest: &Digest) -> Option<Document> {
        self.repositories.get(repository)?;
        let media_type = self.media_types.get(digest)?.clone();
        let body = fs::read(self.path(digest)).ok()?.into();
        Some(Document { media_type, digest: *digest, body })
    }

    fn blob(&self, repository: &str, digest: &Digest) -> Option<Blob> {
        self.repositories.get(repository)?;
        let path = self.path(digest);
        let size = fs::metadata(&path).ok()?.len();
        Some(Blob::File(path, size))
    }

    fn tags(&self, repository: &str) -> Option<Vec<String>> {
        Some(self.repositories.get(repository)?.keys().cloned().collect())
    }

    fn repositories(&self, last: &str, limit: usize) -> Vec<String> {
        self.repositories.keys().filter(|name| name.as_str() > last).take(limit).cloned().collect()
    }

    fn len(&self) -> usize {
        self.names.len()
    }

    fn name(&self, image: usize) -> Option<(String, String)> {
        self.names.get(image).cloned()
    }
}
