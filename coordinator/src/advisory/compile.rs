//! Compiles records into a snapshot file: the same records give the same bytes, whatever their order or the threads.

mod choice;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::feed;
use super::source::{self, SourceError};
use choice::{Choice, Record};

/// What a compilation took in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The digest of the snapshot, by which its file should be called.
    pub digest: [u8; 32],
    /// Bytes of the file.
    pub bytes: u64,
    /// Advisories that name at least one package, withdrawn ones not counted.
    pub advisories: u64,
    /// Advisories that their source took back.
    pub withdrawn: u64,
    /// Advisories without a package of any ecosystem: they are about commits.
    pub without_package: u64,
    /// Records passed over because another record with the same id was newer or the same.
    pub replaced: u64,
    /// Ranges of versions.
    pub ranges: u64,
    /// Ranges of commits, which are left out.
    pub git_ranges: u64,
    /// How many records could not be read.
    pub bad: u64,
    /// The first hundred of them, by name, and what is wrong with them.
    pub bad_records: Vec<(String, String)>,
    /// Advisories of each ecosystem.
    pub ecosystems: BTreeMap<String, u64>,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A source that cannot be used at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Not one advisory in all sources.
    #[error("none of the sources holds an advisory")]
    Nothing,
    /// More than the format can address.
    #[error("too many advisories for one snapshot")]
    TooLarge,
    /// The file cannot be written.
    #[error("cannot write {path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// How many unreadable records a [`Summary`] names.
const NAMED_BAD_RECORDS: usize = 100;

/// Compiles everything that `sources` hold (see [`source::containers`]) into a new file `out`, which is synced to disk.
///
/// Works in parallel on rayon's current thread pool. Memory: about the size of the snapshot and half as much again.
///
/// # Errors
/// [`CompileError`]; an unreadable record is none, it is counted and named in the [`Summary`].
pub fn compile(sources: &[PathBuf], out: &Path) -> Result<Summary, CompileError> {
    let mut containers = Vec::new();
    for source in sources {
        containers.extend(source::containers(source)?);
    }
    containers.sort();
    containers.dedup();
    let mut summary = Summary::default();
    let mut choice = Choice::default();
    for container in &containers {
        for (name, record) in source::records(container, |record| read(record?))? {
            match record {
                Ok(record) => {
                    summary.git_ranges += record.git_ranges;
                    choice.offer(record);
                }
                Err(reason) => {
                    summary.bad += 1;
                    if summary.bad_records.len() < NAMED_BAD_RECORDS {
                        summary.bad_records.push((name, reason));
                    }
                }
            }
        }
    }
    write::write(choice.settle(&mut summary), &mut summary, out)?;
    Ok(summary)
}

fn read(json: &[u8]) -> Result<Record, String> {
    let parsed = feed::parse(json).map_err(|error| error.to_string())?;
    Ok(Record::new(&parsed, blake3::hash(json)))
}

#[cfg(test)]
mod tests;
