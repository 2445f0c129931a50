//! The store: content-addressed objects that outlive every process. What is in it is a fact; it may hold garbage.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub mod conformance;
mod file;
mod memory;
mod s3;

pub use file::FileStore;
pub use memory::MemoryStore;
pub use s3::{Patience, S3Settings, S3Store};

/// A store, shared.
pub type SharedStore = Arc<dyn Store>;

/// Objects by key. Keys are relative paths of ASCII letters, digits and `._:-`, apart by slashes.
///
/// Puts are atomic: a reader sees the old object or the new one, whole. Two writers of one key write the same bytes, or it
/// does not matter which of them wins; where it does, [`Store::replace`] is for that.
#[async_trait]
pub trait Store: Send + Sync {
    /// The object, or nothing.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Puts an object.
    ///
    /// # Errors
    /// The object may or may not have been stored.
    async fn put(&self, key: &str, object: Vec<u8>) -> Result<(), StoreError>;

    /// Which of `keys` there are.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn present(&self, keys: &[String]) -> Result<Vec<bool>, StoreError>;

    /// Up to 1,000 keys that start with `prefix` (whole path components, ending in a slash, or empty) and sort after
    /// `after`, in byte order.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn remove(&self, key: &str) -> Result<(), StoreError>;

    /// The object with its version, for [`Store::replace`].
    ///
    /// # Errors
    /// The store could not be asked.
    async fn versioned(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StoreError>;

    /// Puts an object where the present one still has the version `seen`, or where there is still none. `false` where
    /// another writer was faster. Where the store cannot do that in one step, this looks and then puts: the caller has to
    /// be right without it ([`Store::is_conditional`]).
    ///
    /// # Errors
    /// The object may or may not have been stored.
    async fn replace(&self, key: &str, object: Vec<u8>, seen: Option<&Version>) -> Result<bool, StoreError>;

    /// Whether [`Store::replace`] is one step.
    fn is_conditional(&self) -> bool;
}

/// The version of an object, as its store writes it; an entity tag for S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A store that this build does not know.
    #[error("unknown store `{0}`; write file:PATH, s3://BUCKET/PREFIX or memory:")]
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
    /// The store cannot be reached, is overloaded or answers nonsense; asking again may help.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// The store refuses: credentials, permissions, a bucket that is not there. Asking again does not help.
    #[error("the store refuses: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whether asking again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::File { error, .. } => error.kind() == std::io::ErrorKind::StorageFull,
            Self::Url(_) | Self::Key(_) | Self::Refused(_) => false,
        }
    }
}

/// Opens the store that `url` names: `file:PATH`, `s3://BUCKET/PREFIX` ([`S3Store::open`]) or `memory:`.
///
/// # Errors
/// [`StoreError::Url`] for anything else; what the store says of its settings.
pub async fn open(url: &str) -> Result<SharedStore, StoreError> {
    match url.split_once(':') {
        Some(("file", path)) if !path.is_empty() => {
            Ok(Arc::new(FileStore::new(path.strip_prefix("//").unwrap_or(path).into())))
        }
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::default())),
        Some(("s3", _)) => Ok(Arc::new(S3Store::open(url, S3Settings::default()).await?)),
        // What stands before an `@` may be a password.
        _ if url.contains('@') => Err(StoreError::Url("[redacted]".into())),
        _ => Err(StoreError::Url(crate::text::visible(&url.chars().take(100).collect::<String>()).into_owned())),
    }
}

/// The largest object that is read back.
const MAX_OBJECT: u64 = 256 << 20;
/// How many keys one [`Store::list`] gives.
const PAGE: usize = 1_000;
/// A page of a listing that settles fewer keys than this is dearer than asking for each: Amazon charges for a listing what it
/// charges for 12 HEADs, and a page of a thousand takes a server longer, too.
pub const WORTH_A_PAGE: usize = 16;

fn check(key: &str) -> Result<&str, StoreError> {
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= 255
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
    };
    if key.split('/').all(part) { Ok(key) } else { Err(StoreError::Key(crate::text::visible(key).into_owned())) }
}

fn check_prefix(prefix: &str) -> Result<&str, StoreError> {
    match prefix.strip_suffix('/') {
        Some(directory) => check(directory).map(|_| prefix),
        None if prefix.is_empty() => Ok(prefix),
        None => Err(StoreError::Key(crate::text::visible(prefix).into_owned())),
    }
}
