//! The snapshots of both nights.

use std::path::{Path, PathBuf};

use lazaret_loadtest::fleet;

use super::super::{Failure, settings};
use crate::advisory::{Snapshot, compile};
use crate::report::SnapshotSummary;

/// Compiles both into `directory`.
pub(super) fn write(directory: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format_args!("cannot write the advisories: {error}"));
    for night in [1, 2] {
        let records = directory.join(format!("advisories-{night}"));
        std::fs::create_dir(&records).map_err(failed)?;
        for record in fleet::advisories(night) {
            let name = format!("{}.json", record["id"].as_str().unwrap_or_default());
            std::fs::write(records.join(name), record.to_string()).map_err(failed)?;
        }
        compile(&[records], &file(directory, night)).map_err(Failure::new)?;
    }
    Ok(())
}

fn file(directory: &Path, night: u32) -> PathBuf {
    directory.join(format!("night-{night}"))
}

/// Where the snapshots are.
pub(super) struct Snapshots(PathBuf);

impl Snapshots {
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// What is known in this night.
    pub(super) fn open(&self, night: u32) -> Result<(Snapshot, SnapshotSummary), Failure> {
        settings::advisory_home(Some(&file(&self.0, night)))?.open().map_err(Failure::new)
    }
}
