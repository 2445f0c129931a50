//! Where a snapshot lives on disk: the files beside it, and how one takes the place of another.
//!
//! ```text
//! DIRECTORY/current            the name of the snapshot in use, one line; replaced by renaming
//! DIRECTORY/<blake3>.snapshot  never modified; the one in use and the one before it
//! DIRECTORY/feeds/NAME.zip     archives as fetched, NAME percent-encoded; NAME.zip.part while they come in
//! DIRECTORY/feeds/state.json   what was fetched when
//! DIRECTORY/feeds/lock         held while anything here changes
//! ```
//!
//! A snapshot that was given a file name of its own is that very file, and `FILE.feeds/` holds the rest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use lazaret::digest::hex;
use serde::{Deserialize, Serialize};

use super::UpdateError;
use crate::advisory::Snapshot;
use crate::report::SnapshotSummary;

/// The place of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    place: Place,
    feeds: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Directory(PathBuf),
    File(PathBuf),
}

/// What stands beside a snapshot. JSON, `version` 1; unknown fields are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    version: u32,
    /// The archives, by ecosystem.
    pub feeds: BTreeMap<String, Fetched>,
    /// The paths that the snapshot was imported from; empty where it was fetched.
    pub imported: Vec<PathBuf>,
    /// When the snapshot was compiled, RFC 3339; empty while archives are newer than it.
    pub compiled: String,
}

/// One archive as it was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fetched {
    /// The server's validator; empty where it gave none.
    pub etag: String,
    /// Where it came from, without credentials.
    pub from: String,
    /// When, RFC 3339.
    pub fetched: String,
    /// How large it is.
    pub bytes: u64,
}

/// A file that is being written and disappears unless it takes somebody's place.
#[derive(Debug)]
pub(super) struct Draft(PathBuf);

impl Draft {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Already renamed, mostly; otherwise the next update clears it away.
        let _ = fs::remove_file(&self.0);
    }
}

impl Home {
    /// A directory of snapshots.
    pub fn directory(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self { feeds: directory.join("feeds"), place: Place::Directory(directory) }
    }

    /// A snapshot with a name of its own.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let mut feeds = file.clone().into_os_string();
        feeds.push(".feeds");
        Self { feeds: feeds.into(), place: Place::File(file) }
    }

    /// The snapshot in use; `None` where there is none yet.
    ///
    /// # Errors
    /// The pointer to it cannot be read, or is none.
    pub fn current(&self) -> Result<Option<PathBuf>, UpdateError> {
        match &self.place {
            Place::File(file) => Ok(file.exists().then(|| file.clone())),
            Place::Directory(directory) => {
                let pointer = directory.join("current");
                let name = match fs::read_to_string(&pointer) {
                    Ok(name) => name,
                    Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(super::io(&pointer, error)),
                };
                let name = name.trim_end();
                let digits = name.strip_suffix(".snapshot").unwrap_or_default();
                if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(super::io(&pointer, io::Error::other("it names no snapshot")));
                }
                Ok(Some(directory.join(name)))
            }
        }
    }

    /// Opens the snapshot in use, with what a report says of it. It is as old as its oldest part.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn open(&self) -> Result<(Snapshot, SnapshotSummary), UpdateError> {
        let path = self.current()?.ok_or(UpdateError::NoSnapshot)?;
        let snapshot = Snapshot::open(&path)?;
        let state = self.state()?;
        let oldest = state.feeds.values().filter(|_| state.imported.is_empty()).map(|feed| &feed.fetched).min();
        let date = oldest.cloned().or(Some(state.compiled)).filter(|date| !date.is_empty());
        let digest = hex(&snapshot.digest());
        Ok((snapshot, SnapshotSummary { digest, date }))
    }

    /// What stands beside the snapshot; the empty state where nothing does, or where it cannot be understood: then
    /// everything is fetched again.
    ///
    /// # Errors
    /// It exists and cannot be read.
    pub fn state(&self) -> Result<State, UpdateError> {
        let path = self.feeds.join("state.json");
        match fs::read(&path) {
            Ok(json) => Ok(serde_json::from_slice(&json).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(State::default()),
            Err(error) => Err(super::io(&path, error)),
        }
    }

    /// Where the archive of `ecosystem` is kept.
    pub(super) fn archive(&self, ecosystem: &str) -> Result<PathBuf, UpdateError> {
        let name = encoded(ecosystem);
        if name.is_empty() || name.len() > 200 {
            return Err(super::io(&self.feeds, io::Error::other("an ecosystem with an impossible name")));
        }
        Ok(self.feeds.join(format!("{name}.zip")))
    }

    /// Waits until nobody else changes anything here; released when dropped, and by the system when a process dies.
    pub(super) async fn lock(&self) -> Result<File, UpdateError> {
        let (home, feeds) = (self.clone(), self.feeds.clone());
        let task = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&feeds)?;
            let file = File::options().create(true).truncate(false).write(true).open(feeds.join("lock"))?;
            file.lock()?;
            home.clear_drafts();
            Ok(file)
        });
        let locked: io::Result<File> = task.await.map_err(|_| UpdateError::Interrupted)?;
        locked.map_err(|error| super::io(&self.feeds, error))
    }

    /// A new file on the same file system as the snapshot. The lock must be held.
    pub(super) fn draft(&self) -> Result<Draft, UpdateError> {
        Ok(Draft(self.feeds.join(format!("{}.draft", std::process::id()))))
    }

    /// What a killed process left behind. The lock must be held.
    fn clear_drafts(&self) {
        for entry in fs::read_dir(&self.feeds).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "draft") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes `state`. The lock must be held.
    pub(super) fn keep(&self, state: &State) -> Result<(), UpdateError> {
        let state = State { version: 1, ..state.clone() };
        let json = serde_json::to_vec_pretty(&state).map_err(|error| super::io(&self.feeds, error.into()))?;
        replace(&self.feeds.join("state.json"), &json).map_err(|error| super::io(&self.feeds, error))
    }

    /// Puts `draft` in the place of the snapshot; whoever has the old one open keeps it. The lock must be held.
    pub(super) fn switch(&self, draft: Draft, digest: [u8; 32], state: &State) -> Result<PathBuf, UpdateError> {
        let switched = match &self.place {
            Place::File(file) => fs::rename(draft.path(), file).and_then(|()| sync(file)).map(|()| file.clone()),
            Place::Directory(directory) => {
                let before = self.current().ok().flatten();
                let name = format!("{}.snapshot", hex(&digest));
                let snapshot = directory.join(&name);
                let pointed = fs::rename(draft.path(), &snapshot)
                    .and_then(|()| sync(&snapshot))
                    .and_then(|()| replace(&directory.join("current"), format!("{name}\n").as_bytes()));
                pointed.map(|()| {
                    // The one before stays: somebody may have read its name and not opened it yet.
                    remove_others(directory, &[Some(&snapshot), before.as_ref()]);
                    snapshot
                })
            }
        };
        let switched = switched.map_err(|error| super::io(draft.path(), error))?;
        self.keep(state)?;
        Ok(switched)
    }
}

fn remove_others(directory: &Path, kept: &[Option<&PathBuf>]) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "snapshot") && !kept.contains(&Some(&path)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes `content` to a file beside `path`, syncs it and renames it. The lock must be held.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = path.to_owned().into_os_string();
    draft.push(".new");
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync(path)
}

/// Makes a rename last.
fn sync(renamed: &Path) -> io::Result<()> {
    match renamed.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// `name` with everything but letters, digits, `-`, `_` and inner dots percent-encoded: one path segment, in a URL and on
/// disk.
pub(super) fn encoded(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte == b'.' && !encoded.is_empty() {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_uppercase());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encoded("Rocky Linux"), "Rocky%20Linux");
        assert_eq!(encoded("crates.io"), "crates.io");
        assert_eq!(encoded("../x"), "%2E.%2Fx");
        assert_eq!(encoded("SUSE:Ä"), "SUSE%3A%C3%84");
    }

    #[test]
    fn a_pointer_leads_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::directory(directory.path());
        assert_eq!(home.current().unwrap(), None);
        fs::write(directory.path().join("current"), "../../etc/passwd\n").unwrap();
        assert!(home.current().is_err());
    }
}
