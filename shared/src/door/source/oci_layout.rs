//! `oci:PATH[:TAG]`: an OCI layout in a directory.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::file::{BUFFER, open_regular, read_capped};
use super::oci::{self, Documents, blob_name};
use super::{BlobReader, ImageSource, PlatformChoice, SourceError};
use crate::image::{Descriptor, Image};

/// An OCI layout in a directory.
pub struct OciLayout {
    root: PathBuf,
    wanted: Option<String>,
}

impl OciLayout {
    /// Opens the layout at `path`; `wanted` is a tag or a digest.
    pub fn open(path: &Path, wanted: Option<&str>) -> Result<Self, SourceError> {
        let canonical = |path: &Path| {
            path.canonicalize().map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => SourceError::NoSuchPath { path: path.to_owned() },
                _ => SourceError::io(path.display().to_string(), error),
            })
        };
        let root = canonical(path)?;
        if !root.is_dir() {
            let (what, reason) = (path.display().to_string(), "an OCI layout is a directory".into());
            return Err(SourceError::NotAnImage { what, reason });
        }
        // Only the last part of a path is protected by its flags, so the directories above it are looked at here.
        let blobs = root.join("blobs/sha256");
        if blobs.exists() && canonical(&blobs)? != blobs {
            return Err(SourceError::NotARegularFile { path: blobs });
        }
        Ok(Self { root, wanted: wanted.map(str::to_owned) })
    }

    fn file(&self, name: &str) -> Result<Option<(File, u64)>, SourceError> {
        open_regular(&self.root.join(name))
    }
}

impl Documents for OciLayout {
    fn document(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((file, size)) = self.file(name)? else { return Ok(None) };
        read_capped(file, size, limit, name).map(Some)
    }
}

impl ImageSource for OciLayout {
    fn name(&self) -> &'static str {
        "oci"
    }

    fn images(&self, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError> {
        oci::images(self.name(), &self.root.display().to_string(), self, self.wanted.as_deref(), choice)
    }

    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn BlobReader>, SourceError> {
        let (digest, expected) = (blob.digest, blob.size);
        let (file, found) = self.file(&blob_name(&digest))?.ok_or(SourceError::BlobMissing { digest })?;
        if found != expected {
            return Err(SourceError::SizeMismatch { digest, expected, found });
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
    }
}
