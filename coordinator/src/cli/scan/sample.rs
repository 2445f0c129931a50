//! The built-in sample image, scanned when no image is given: shows what a report looks like, with no network at all.

use std::path::{Path, PathBuf};

use lazaret_loadtest::sample;
use tempfile::TempDir;

use super::super::{Failure, temporary};
use crate::advisory::compile;

/// The sample on disk, until it is dropped.
pub(super) struct Sample(TempDir);

impl Sample {
    /// Builds image and snapshot in a temporary directory.
    pub(super) fn build() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(format_args!("cannot build the sample image: {error}"));
        let directory = temporary::directory(|directory| {
            sample::write_image(&directory.join("image")).map_err(failed)?;
            let records = directory.join("advisories");
            std::fs::create_dir(&records).map_err(failed)?;
            for record in sample::advisories() {
                let name = format!("{}.json", record["id"].as_str().unwrap_or_default());
                std::fs::write(records.join(name), record.to_string()).map_err(failed)?;
            }
            compile(&[records], &snapshot(directory)).map(drop).map_err(Failure::new)
        })?;
        Ok(Self(directory))
    }

    /// Where the image is, as a reference.
    pub(super) fn reference(&self) -> String {
        format!("oci:{}:{}", self.0.path().join("image").display(), sample::TAG)
    }

    /// Where the snapshot is.
    pub(super) fn snapshot(&self) -> PathBuf {
        snapshot(self.0.path())
    }
}

fn snapshot(directory: &Path) -> PathBuf {
    directory.join("snapshot")
}
