//! Where archives come from: a server that serves them as OSV's bucket does, or a directory of the same shape.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::{Client, Url};
use tokio::fs;

use super::fetch::{Answer, FetchError, Wanted, beside, fetch, text};
use super::home::{Fetched, encoded};
use crate::advisory::name;

/// The largest archive that is fetched.
const ARCHIVE_BYTES: u64 = 8 << 30;
/// The largest list of ecosystems that is fetched.
const LIST_BYTES: u64 = 1 << 20;

/// A source of `ECOSYSTEM/all.zip`.
#[derive(Clone, Debug)]
pub struct Mirror(Place);

#[derive(Clone, Debug)]
enum Place {
    Server(Client, Url),
    Directory(PathBuf),
}

/// Why a source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// Neither a URL nor a directory.
    #[error("`{0}` is neither an http(s) URL nor a directory")]
    Unknown(String),
    /// It does not say what it has.
    #[error("cannot read the list of ecosystems of {from}: {error} (hint: name the ecosystems)")]
    NoList {
        /// Which.
        from: String,
        /// Why.
        error: String,
    },
}

impl Mirror {
    /// The source that `from` names: an `http://` or `https://` URL, or a directory.
    ///
    /// # Errors
    /// [`MirrorError::Unknown`].
    pub fn new(from: &str, client: Client) -> Result<Self, MirrorError> {
        if from.starts_with("http://") || from.starts_with("https://") {
            // A URL that cannot be read is not printed: it may hold a password.
            let url = Url::parse(from.trim_end_matches('/')).map_err(|_| MirrorError::Unknown("(the URL)".into()))?;
            return Ok(Self(Place::Server(client, url)));
        }
        let path = PathBuf::from(from);
        if path.is_dir() { Ok(Self(Place::Directory(path))) } else { Err(MirrorError::Unknown(from.to_owned())) }
    }

    /// How it is shown: a URL without its credentials.
    pub fn shown(&self) -> String {
        match &self.0 {
            Place::Directory(path) => path.display().to_string(),
            Place::Server(_, url) => {
                let mut url = url.clone();
                // These fail only for URLs that cannot have credentials.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.set_query(None);
                url.to_string()
            }
        }
    }

    /// The ecosystems it has, by its `ecosystems.txt`, without release suffixes.
    ///
    /// # Errors
    /// [`MirrorError::NoList`].
    pub async fn ecosystems(&self) -> Result<BTreeSet<String>, MirrorError> {
        let fail = |error: String| MirrorError::NoList { from: self.shown(), error };
        let list = match &self.0 {
            Place::Directory(path) => {
                fs::read_to_string(path.join("ecosystems.txt")).await.map_err(|e| fail(e.to_string()))?
            }
            Place::Server(client, url) => {
                let url = below(url, &["ecosystems.txt"]);
                text(client, url, LIST_BYTES).await.map_err(|error| fail(error.to_string()))?
            }
        };
        let names = list.lines().map(|line| name::base(line.trim())).filter(|name| !name.is_empty());
        Ok(names.map(str::to_owned).collect())
    }

    /// Brings the archive of `ecosystem` to `archive`, unless it is what `earlier` says is there; `None` then.
    ///
    /// # Errors
    /// [`FetchError`]; what is at `archive` stays as it was.
    pub(super) async fn fetch(
        &self,
        ecosystem: &str,
        archive: &Path,
        earlier: Option<&Fetched>,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Option<Fetched>, FetchError> {
        let from = self.shown();
        let earlier = earlier.filter(|earlier| earlier.from == from && archive.is_file());
        let etag = earlier.map_or("", |earlier| earlier.etag.as_str());
        let answer = match &self.0 {
            Place::Server(client, base) => {
                let url = below(base, &[&encoded(ecosystem), "all.zip"]);
                fetch(&Wanted { client, url, into: archive, etag, limit: ARCHIVE_BYTES, progress }).await?
            }
            Place::Directory(path) => copy(&path.join(ecosystem).join("all.zip"), archive, etag).await?,
        };
        let Answer::New(etag, bytes) = answer else { return Ok(None) };
        let settled = settle(archive).await;
        let _ = fs::remove_file(beside(archive, ".part.etag")).await;
        settled?;
        Ok(Some(Fetched { etag, from, fetched: jiff::Timestamp::now().to_string(), bytes }))
    }
}

/// Copies an archive from another directory; its hash stands for the validator.
async fn copy(from: &Path, archive: &Path, etag: &str) -> Result<Answer, FetchError> {
    let (from, part, etag) = (from.to_owned(), beside(archive, ".part"), etag.to_owned());
    let task = tokio::task::spawn_blocking(move || {
        let io = |path: &Path, error| FetchError::Io { path: path.to_owned(), error };
        let mut hasher = blake3::Hasher::new();
        match hasher.update_mmap_rayon(&from) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(FetchError::NotFound),
            Err(error) => return Err(io(&from, error)),
        }
        let found = format!("\"{}\"", hasher.finalize());
        if found == etag {
            return Ok(Answer::NotModified);
        }
        // Not `fs::copy`, which would take over a read-only mode.
        let mut source = std::fs::File::open(&from).map_err(|error| io(&from, error))?;
        let mut copied = std::fs::File::create(&part).map_err(|error| io(&part, error))?;
        let bytes = std::io::copy(&mut source, &mut copied).map_err(|error| io(&part, error))?;
        copied.sync_all().map_err(|error| io(&part, error))?;
        Ok(Answer::New(found, bytes))
    });
    task.await.unwrap_or(Err(FetchError::NotFound))
}

/// Moves `ARCHIVE.part` to its place if it is a zip archive, and removes it otherwise.
async fn settle(archive: &Path) -> Result<(), FetchError> {
    let (archive, part) = (archive.to_owned(), beside(archive, ".part"));
    let io = |error| FetchError::Io { path: archive.clone(), error };
    let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
    let file = std::fs::File::open(&part).map_err(io)?;
    if rawzip::ZipArchive::from_file(file, &mut buffer).is_err() {
        let _ = fs::remove_file(&part).await;
        return Err(FetchError::NotAnArchive);
    }
    fs::rename(&part, &archive).await.map_err(io)
}

/// `base` with path segments behind it that are encoded already.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    let path = format!("{}/{}", base.path().trim_end_matches('/'), segments.join("/"));
    url.set_path(&path);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_built_and_shown_safely() {
        let mirror = Mirror::new("https://user:secret@host/base/?key=secret", Client::new()).unwrap();
        assert_eq!(mirror.shown(), "https://host/base/");
        let Place::Server(_, base) = &mirror.0 else { panic!() };
        assert_eq!(below(base, &[&encoded("Rocky Linux"), "all.zip"]).path(), "/base/Rocky%20Linux/all.zip");
        assert!(Mirror::new("ftp://host", Client::new()).is_err());
        assert!(
            matches!(Mirror::new("http://user:secret@[", Client::new()), Err(error) if !error.to_string().contains("secret"))
        );
    }
}
