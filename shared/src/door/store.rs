//! The store: content-addressed objects that outlive every process. What is in it is a fact; it may hold garbage.

use std::path::PathBuf;
use std::sync::Arc;

pub mod conformance;
mod file;
mod memory;

pub use file::FileStore;
pub use memory::MemoryStore;

/// Objects by key. Keys are relative paths of ASCII letters, digits and `._:-`, apart by slashes.
///
/// Puts are atomic: a reader sees the old object or the new one, whole. Two writers of one key write the same bytes, or it
/// does not matter which of them wins.
pub trait Store: Send + Sync {
    /// The object, or nothing.
    ///
    /// # Errors
    /// The store could not be asked.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Puts an object.
    ///
    /// # Errors
    /// The object was not stored.
    fn put(&self, key: &str, object: &[u8]) -> Result<(), StoreError>;
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A store that this build does not know.
    #[error("unknown store `{0}`; write file:PATH or memory:")]
    Url(String),
    /// A key outside the allowed characters: a bug of the caller, or something hostile that became part of a key.
    #[error("malformed key in the store: `{0}`")]
    Key(String),
    /// The file system refused.
    #[error("{path}: {error}")]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}

/// Opens the store that `url` names: `file:PATH` or `memory:`.
///
/// # Errors
/// [`StoreError::Url`] for anything else.
pub fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    match url.split_once(':') {
        Some(("file", path)) if !path.is_empty() => {
            Ok(Arc::new(FileStore::new(path.strip_prefix("//").unwrap_or(path).into())))
        }
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::default())),
        _ => Err(StoreError::Url(crate::text::visible(&url.chars().take(100).collect::<String>()).into_owned())),
    }
}

/// The largest object that is read back.
const MAX_OBJECT: u64 = 256 << 20;

fn check(key: &str) -> Result<&str, StoreError> {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 255
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
    };
    if key.split('/').all(part) { Ok(key) } else { Err(StoreError::Key(crate::text::visible(key).into_owned())) }
}
