//! What a registry serves: documents and blobs by repository.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use lazaret::digest::Digest;

use crate::fleet::{Fleet, Kept};

/// A manifest or an index, as it is served.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub body: Bytes,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub enum Blob {
    /// In memory.
    Memory(Bytes),
    /// In a file of this size.
    File(PathBuf, u64),
}

impl Blob {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }
}

/// What there is to serve. Calls may take as long as it takes to generate an image.
pub(super) trait Content: Send + Sync {
    fn by_tag(&self, repository: &str, tag: &str) -> Option<Document>;
    fn by_digest(&self, repository: &str, digest: &Digest) -> Option<Document>;
    fn blob(&self, repository: &str, digest: &Digest) -> Option<Blob>;
    /// All tags of a repository, sorted; `None` where there is no such repository.
    fn tags(&self, repository: &str) -> Option<Vec<String>>;
    /// At most `limit` repositories by name, after `last`.
    fn repositories(&self, last: &str, limit: usize) -> Vec<String>;
    /// How many images can be named.
    fn len(&self) -> usize;
    /// The repository and tag of an image.
    fn name(&self, image: usize) -> Option<(String, String)>;
}

/// A fleet as a registry has it: each manifest is kept for a while, since clients ask for it more than once.
pub(super) struct FleetContent {
    pub(super) fleet: std::sync::Arc<Fleet>,
    pub(super) manifests: Kept,
}

impl FleetContent {
    fn document(&self, image: u32) -> Document {
        let files = self.fleet.files(image);
        self.manifests.put(files.manifest_digest, &files.manifest);
        document(files.manifest_digest, files.manifest)
    }
}

fn document(digest: Digest, body: Bytes) -> Document {
    Document { media_type: crate::fleet::MANIFEST.to_owned(), digest, body }
}

impl Content for FleetContent {
    fn by_tag(&self, repository: &str, tag: &str) -> Option<Document> {
        self.fleet.find(repository, tag).map(|image| self.document(image))
    }

    fn by_digest(&self, repository: &str, digest: &Digest) -> Option<Document> {
        let body = self.manifests.get(digest).or_else(|| self.fleet.manifest_by_digest(repository, digest))?;
        Some(document(*digest, body))
    }

    fn blob(&self, repository: &str, digest: &Digest) -> Option<Blob> {
        self.fleet.blob_by_digest(repository, digest).map(Blob::Memory)
    }

    fn tags(&self, repository: &str) -> Option<Vec<String>> {
        let mut tags: Vec<_> = self.fleet.images_of(repository).map(|image| self.fleet.name(image).1).collect();
        tags.sort_unstable();
        Some(tags).filter(|tags| !tags.is_empty())
    }

    fn repositories(&self, last: &str, limit: usize) -> Vec<String> {
        self.fleet.repositories().skip_while(|name| *name <= last).take(limit).map(str::to_owned).collect()
    }

    fn len(&self) -> usize {
        self.fleet.len() as usize
    }

    fn name(&self, image: usize) -> Option<(String, String)> {
        let image = u32::try_from(image).ok().filter(|image| *image < self.fleet.len())?;
        Some(self.fleet.name(image))
    }
}

/// A failure to read a layout, with the path in it.
pub(super) fn about(path: &std::path::Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
