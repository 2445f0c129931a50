//! A store in a directory: an object is a file, renamed into place, so that any number of processes may share it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{MAX_OBJECT, Store, StoreError, check};

/// Objects as files below a directory, which is made when the first object is put.
pub struct FileStore {
    root: PathBuf,
}

impl FileStore {
    /// The store below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

impl Store for FileStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.root.join(check(key)?);
        let read = || -> io::Result<Vec<u8>> {
            let mut object = Vec::new();
            File::open(&path)?.take(MAX_OBJECT).read_to_end(&mut object)?;
            Ok(object)
        };
        match read() {
            Ok(object) => Ok(Some(object)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::File { path, error }),
        }
    }

    fn put(&self, key: &str, object: &[u8]) -> Result<(), StoreError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = self.root.join(check(key)?);
        let directory = path.parent().unwrap_or(&self.root).to_owned();
        // A name that no key can have, unique to this process and call.
        let temporary = directory.join(format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let write = || -> io::Result<()> {
            fs::create_dir_all(&directory)?;
            let mut file = File::create(&temporary)?;
            file.write_all(object)?;
            drop(file);
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| {
            // The write's own error is the one to report; a file that was never made cannot be removed.
            let _ = fs::remove_file(&temporary);
            StoreError::File { path: path.clone(), error }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms_and_leaves_only_objects() {
        let directory = tempfile::tempdir().unwrap();
        super::super::conformance::check_store(&FileStore::new(directory.path().join("deep/er")));
        let mut names: Vec<_> =
            fs::read_dir(directory.path().join("deep/er/a")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["b", "c"]);
    }
}
