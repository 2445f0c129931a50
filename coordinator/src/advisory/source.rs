//! Where records come from: directories of `ECOSYSTEM/all.zip`, zip archives, directories of JSON files, JSON files.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, ZipArchive, ZipArchiveEntryWayfinder};
use rayon::prelude::*;

/// The largest record that is read.
pub const RECORD_BYTES: u64 = 8 << 20;
/// How deep directories are searched.
const DEPTH: usize = 8;

/// A file with records in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Container {
    /// An archive of JSON files.
    Zip(PathBuf),
    /// One record.
    Json(PathBuf),
}

/// Why a source cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or directory cannot be read.
    #[error("cannot read {path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A zip archive that is none.
    #[error("{path} is no usable zip archive: {reason}")]
    Zip {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Nothing to import.
    #[error("{0} has neither zip archives nor JSON files")]
    Empty(PathBuf),
}

/// The containers at or below `path`, sorted. Where a directory, or its subdirectories, hold an `all.zip`, only those count,
/// as in OSV's bucket; otherwise every `*.zip` and `*.json` below it. Links to directories are not followed.
///
/// # Errors
/// The path cannot be read, or holds nothing of the kind.
pub fn containers(path: &Path) -> Result<Vec<Container>, SourceError> {
    let metadata = fs::metadata(path).map_err(|error| io(path, error))?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        search(path, 0, &mut found)?;
        let is_all = |container: &Container| matches!(container, Container::Zip(path) if path.ends_with("all.zip"));
        if found.iter().any(is_all) {
            found.retain(is_all);
        }
        found.sort();
    } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        found.push(Container::Json(path.to_owned()));
    } else {
        found.push(Container::Zip(path.to_owned()));
    }
    if found.is_empty() { Err(SourceError::Empty(path.to_owned())) } else { Ok(found) }
}

fn search(directory: &Path, depth: usize, found: &mut Vec<Container>) -> Result<(), SourceError> {
    for entry in fs::read_dir(directory).map_err(|error| io(directory, error))? {
        let entry = entry.map_err(|error| io(directory, error))?;
        let path = entry.path();
        if entry.file_type().map_err(|error| io(&path, error))?.is_dir() {
            if depth < DEPTH {
                search(&path, depth + 1, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "zip") {
            found.push(Container::Zip(path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(Container::Json(path));
        }
    }
    Ok(())
}

/// Calls `read` with every record of a container (its bytes, or why there are none) in parallel, and returns the results
/// in the container's order together with the record's name.
///
/// # Errors
/// The container itself cannot be read.
pub fn records<T: Send>(
    container: &Container,
    read: impl Fn(Result<&[u8], String>) -> T + Sync,
) -> Result<Vec<(String, T)>, SourceError> {
    match container {
        Container::Json(path) => {
            let file = File::open(path).map_err(|error| io(path, error))?;
            let record = whole(file).map_err(|error| io(path, error))?;
            let result = read(record.as_deref().ok_or_else(too_large));
            Ok(vec![(path.display().to_string(), result)])
        }
        Container::Zip(path) => {
            let archive = Archive::open(path)?;
            Ok(archive.entries.par_iter().map(|entry| (entry.name.clone(), entry.read(&archive.zip, &read))).collect())
        }
    }
}

struct Archive {
    zip: ZipArchive<FileReader>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let refuse = |reason: String| SourceError::Zip { path: path.to_owned(), reason };
        let file = File::open(path).map_err(|error| io(path, error))?;
        let length = file.metadata().map_err(|error| io(path, error))?.len();
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::from_file(file, &mut buffer).map_err(|error| refuse(error.to_string()))?;
        let mut entries = Vec::new();
        let mut compressed = 0u64;
        let mut directory = zip.entries(&mut buffer);
        while let Some(entry) = directory.next_entry().map_err(|error| refuse(error.to_string()))? {
            // Entries that overlap would let a small archive hold any amount of records.
            compressed = compressed.saturating_add(entry.compressed_size_hint());
            if compressed > length {
                return Err(refuse("its entries overlap".to_owned()));
            }
            let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
            if name.ends_with(".json") {
                let name = format!("{}: {name}", path.display());
                entries.push(Entry { name, place: entry.wayfinder(), method: entry.compression_method() });
            }
        }
        Ok(Self { zip, entries })
    }
}

impl Entry {
    fn read<T>(&self, zip: &ZipArchive<FileReader>, read: impl Fn(Result<&[u8], String>) -> T) -> T {
        match self.inflate(zip) {
            Ok(Some(record)) => read(Ok(&record)),
            Ok(None) => read(Err(too_large())),
            Err(error) => read(Err(error.to_string())),
        }
    }

    fn inflate(&self, zip: &ZipArchive<FileReader>) -> std::io::Result<Option<Vec<u8>>> {
        let entry = zip.get_entry(self.place).map_err(std::io::Error::other)?;
        let stored = entry.reader();
        match self.method {
            CompressionMethod::STORE => whole(entry.verifying_reader(stored)),
            CompressionMethod::DEFLATE => whole(entry.verifying_reader(DeflateDecoder::new(stored))),
            _ => Err(std::io::Error::other("a compression other than deflate")),
        }
    }
}

/// All of `reader`; `None` where that is more than a record may have.
fn whole(reader: impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut record = Vec::new();
    reader.take(RECORD_BYTES + 1).read_to_end(&mut record)?;
    Ok(Some(record).filter(|record| record.len() as u64 <= RECORD_BYTES))
}

fn too_large() -> String {
    format!("larger than {} MiB", RECORD_BYTES >> 20)
}

fn io(path: &Path, error: std::io::Error) -> SourceError {
    SourceError::Io { path: path.to_owned(), error }
}
