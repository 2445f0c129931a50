//! Advisory snapshots of a farm: each job names the one it is judged with, and every coordinator can get it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lazaret::door::store::SharedStore;

use super::stored;
use crate::advisory::Snapshot;
use crate::advisory::update::Home;
use crate::report::SnapshotSummary;

/// Snapshots that are kept open: that of the running jobs, and the one before.
const OPEN: usize = 4;

/// A snapshot with what reports say of it.
pub(super) type Opened = Arc<(Snapshot, SnapshotSummary)>;

/// The snapshots of this process.
pub(super) struct Snapshots {
    home: Home,
    store: SharedStore,
    open: Mutex<VecDeque<Opened>>,
}

impl Snapshots {
    pub(super) fn new(home: Home, store: SharedStore) -> Self {
        Self { home, store, open: Mutex::default() }
    }

    /// The newest here, which jobs submitted from now on are judged with; it is in the store when this returns. Nothing where
    /// nobody fetched or imported any.
    pub(super) async fn newest(&self) -> Result<Option<SnapshotSummary>, String> {
        let Some(path) = self.home.current().map_err(|error| error.to_string())? else { return Ok(None) };
        // A name that is a digest spares opening the file.
        let named = path.file_stem().and_then(|stem| stem.to_str()).and_then(|digest| self.known(digest));
        if let Some(open) = named {
            return Ok(Some(open.1.clone()));
        }
        let home = self.home.clone();
        let open = tokio::task::spawn_blocking(move || home.open()).await.map_err(|error| error.to_string())?;
        let (snapshot, summary) = open.map_err(|error| error.to_string())?;
        let key = stored::advisories(&summary.digest);
        let present = self.store.present(std::slice::from_ref(&key)).await.map_err(|error| error.to_string())?;
        if present != [true] {
            let bytes = tokio::fs::read(&path).await.map_err(|error| error.to_string())?;
            self.store.put(&key, bytes).await.map_err(|error| error.to_string())?;
        }
        self.keep(Arc::new((snapshot, summary.clone())));
        Ok(Some(summary))
    }

    /// The snapshot that a job names.
    pub(super) async fn get(&self, wanted: &SnapshotSummary) -> Result<Opened, String> {
        if let Some(open) = self.known(&wanted.digest) {
            return Ok(open);
        }
        let key = stored::advisories(&wanted.digest);
        let bytes = self.store.get(&key).await.map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("the store has no snapshot {}", wanted.digest))?;
        let opened = tokio::task::spawn_blocking(move || -> Result<Snapshot, String> {
            // Mapped, not held: the file has no name any more when this returns.
            let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
            let path: PathBuf = file.path().to_owned();
            std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
            let snapshot = Snapshot::open(&path).map_err(|error| error.to_string())?;
            snapshot.verify().map_err(|error| error.to_string())?;
            Ok(snapshot)
        });
        let snapshot = opened.await.map_err(|error| error.to_string())??;
        if lazaret::digest::hex(&snapshot.digest()) != wanted.digest {
            return Err(format!("the snapshot {} in the store is damaged", wanted.digest));
        }
        let opened = Arc::new((snapshot, wanted.clone()));
        self.keep(Arc::clone(&opened));
        Ok(opened)
    }

    fn known(&self, digest: &str) -> Option<Opened> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().find(|open| open.1.digest == digest).cloned()
    }

    fn keep(&self, opened: Opened) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back(opened);
        if open.len() > OPEN {
            open.pop_front();
        }
    }
}
