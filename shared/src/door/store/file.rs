//! A store in a directory: an object is a file, renamed into place, so that any number of processes may share it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::{MAX_OBJECT, PAGE, Store, StoreError, Version, check, check_prefix};

/// Objects as files below a directory, which is made when the first object is put.
pub struct FileStore {
    root: Arc<Path>,
}

impl FileStore {
    /// The store below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root: root.into() }
    }

    /// Runs `work`, which waits for the disk, where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let root = Arc::clone(&self.root);
        tokio::task::spawn_blocking(move || work(&root))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

#[async_trait]
impl Store for FileStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let key = check(key)?.to_owned();
        self.blocking(move |root| read(&root.join(key))).await
    }

    async fn put(&self, key: &str, object: Vec<u8>) -> Result<(), StoreError> {
        let key = check(key)?.to_owned();
        self.blocking(move |root| write(&root.join(key), &object)).await
    }

    async fn present(&self, keys: &[String]) -> Result<Vec<bool>, StoreError> {
        let keys = keys.iter().map(|key| check(key).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
        self.blocking(move |root| Ok(keys.iter().map(|key| root.join(key).is_file()).collect())).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let prefix = check_prefix(prefix)?.to_owned();
        let after = after.map(str::to_owned);
        self.blocking(move |root| {
            let mut keys = Vec::new();
            walk(&root.join(&prefix), &prefix, after.as_deref(), &mut keys)?;
            keys.sort_unstable();
            keys.truncate(PAGE);
            Ok(keys)
        })
        .await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let key = check(key)?.to_owned();
        self.blocking(move |root| {
            let path = root.join(key);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::File { path, error }),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn versioned(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError> {
        Ok(self.get(key).await?.map(|object| {
            let version = version(&object);
            (object, version)
        }))
    }

    async fn replace(&self, key: &str, object: Vec<u8>, seen: Option<&Version>) -> Result<bool, StoreError> {
        let key = check(key)?.to_owned();
        let seen = seen.cloned();
        self.blocking(move |root| {
            let path = root.join(key);
            if read(&path)?.as_deref().map(version) != seen {
                return Ok(false);
            }
            write(&path, &object).map(|()| true)
        })
        .await
    }

    fn is_conditional(&self) -> bool {
        false
    }
}

fn version(object: &[u8]) -> Version {
    Version(blake3::hash(object).to_hex().to_string())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    read_up_to(path, MAX_OBJECT)
}

fn read_up_to(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut object = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut object)?;
        Ok(object)
    };
    match read() {
        Ok(object) if object.len() as u64 > limit => {
            Err(StoreError::Refused(format!("{} is larger than {limit} bytes", path.display())))
        }
        Ok(object) => Ok(Some(object)),
        // A key may go on below another one: then one of them is a directory, and no object.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(StoreError::File { path: path.to_owned(), error }),
    }
}

fn write(path: &Path, object: &[u8]) -> Result<(), StoreError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let directory = path.parent().unwrap_or(path);
    // A name that no key can have, unique to this process and call.
    let temporary = directory.join(format!(".{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let write = || -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let mut file = File::create(&temporary)?;
        file.write_all(object)?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        // The write's own error is the one to report; a file that was never made cannot be removed.
        let _ = fs::remove_file(&temporary);
        StoreError::File { path: path.to_owned(), error }
    })
}

/// Adds the keys below `directory`, whose own key is `prefix`, that sort after `after`.
fn walk(directory: &Path, prefix: &str, after: Option<&str>, keys: &mut Vec<String>) -> Result<(), StoreError> {
    let failed = |error| StoreError::File { path: directory.to_owned(), error };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        // Temporary files, and whatever somebody else put here.
        let Some(name) = name.to_str().filter(|name| check(name).is_ok()) else { continue };
        let key = format!("{prefix}{name}");
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(&entry.path(), &format!("{key}/"), after, keys)?;
        } else if after.is_none_or(|after| key.as_str() > after) {
            keys.push(key);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conforms_and_leaves_only_objects() {
        let directory = tempfile::tempdir().unwrap();
        super::super::conformance::check_store(&FileStore::new(directory.path().join("deep/er"))).await;
        let mut names: Vec<_> =
            fs::read_dir(directory.path().join("deep/er/a")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["b", "c"]);
    }

    #[tokio::test]
    async fn a_directory_is_no_object_and_nothing_is_below_an_object() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path().into());
        store.put("a/b", b"1".to_vec()).await.unwrap();
        assert_eq!(store.get("a").await.unwrap(), None);
        assert_eq!(store.get("a/b/c").await.unwrap(), None);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_and_not_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, b"1234").unwrap();
        assert_eq!(read_up_to(&path, 4).unwrap().as_deref(), Some(&b"1234"[..]));
        assert!(matches!(read_up_to(&path, 3), Err(StoreError::Refused(_))));
    }
}
