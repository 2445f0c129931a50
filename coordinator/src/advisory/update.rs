//! Keeps a snapshot up to date: fetches what changed, compiles, and switches in one step. Knows network, disk and clock.

mod fetch;
mod home;
mod mirror;
mod retry;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::compile::{CompileError, Summary, compile};
use super::snapshot::{EcosystemInfo, Snapshot, SnapshotError};
use super::{feed, name};
pub use fetch::FetchError;
pub use home::{Fetched, Home, State};
pub use mirror::{Mirror, MirrorError};

/// How many archives are fetched at once.
const AT_ONCE: usize = 4;

/// What is going on, for whoever shows progress; called often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// An archive is coming in.
    Fetching {
        /// Of which ecosystem.
        ecosystem: &'a str,
        /// Bytes that are there, those of an earlier try included.
        received: u64,
        /// Bytes in all, where the server says.
        total: Option<u64>,
    },
    /// An archive is complete, or had not changed.
    Done {
        /// Of which ecosystem.
        ecosystem: &'a str,
    },
    /// Everything is there and is being compiled.
    Compiling,
}

/// What an update or import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The snapshot file that is in use now.
    pub snapshot: PathBuf,
    /// What was compiled; `None` where nothing had changed.
    pub compiled: Option<Summary>,
    /// Ecosystems that were asked for and that the source does not have, sorted.
    pub missing: Vec<String>,
}

/// Why there was no update. What was in use before still is.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The source cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// An archive could not be fetched.
    #[error("cannot fetch the advisories of {ecosystem}: {error}")]
    Fetch {
        /// Whose.
        ecosystem: String,
        /// Why.
        error: FetchError,
    },
    /// The archives could not be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The compiled snapshot, or the one in use, is no good.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The directory of the advisories cannot be read or written.
    #[error("cannot use {path}: {error}")]
    Io {
        /// What in it.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// None of the ecosystems that were asked for is there.
    #[error("{from} has none of the advisories asked for: {}", .ecosystems.join(", "))]
    NothingThere {
        /// Where they were looked for.
        from: String,
        /// What was asked for.
        ecosystems: Vec<String>,
    },
    /// Nothing was fetched or imported yet.
    #[error("there is no advisory snapshot: run `lazaret advisories update`, or `lazaret advisories import PATH`")]
    NoSnapshot,
    /// Our own task ended early.
    #[error("the update was interrupted")]
    Interrupted,
}

/// What is known of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The file.
    pub snapshot: PathBuf,
    /// Its digest.
    pub digest: [u8; 32],
    /// Its ecosystems, each with the archive it came from, where it was fetched and not imported.
    pub ecosystems: Vec<(EcosystemInfo, Option<Fetched>)>,
    /// Where an imported snapshot came from; empty for one that was fetched.
    pub imported: Vec<PathBuf>,
    /// When it was compiled, RFC 3339; empty where nobody wrote it down.
    pub compiled: String,
}

/// Where advisories come from unless somebody says otherwise.
pub fn default_base() -> &'static str {
    feed::osv::FEED.base
}

/// A client with the timeouts that suit large files: no limit on the whole, but on every wait.
///
/// # Errors
/// The TLS library has no usable certificates.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    let agent = concat!("lazaret/", env!("CARGO_PKG_VERSION"));
    let client = reqwest::Client::builder().user_agent(agent);
    client.connect_timeout(Duration::from_secs(15)).read_timeout(Duration::from_secs(30)).build()
}

/// Fetches the archives of `ecosystems` from `mirror` (all that it lists, where empty; a release suffix is ignored) into
/// `home`, compiles everything that was ever fetched there, and switches to the result.
///
/// Waits while another process updates the same home.
///
/// # Errors
/// [`UpdateError`]; the snapshot in use stays as it was.
pub async fn update(
    home: &Home,
    mirror: &Mirror,
    ecosystems: &[String],
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Outcome, UpdateError> {
    let lock = home.lock().await?;
    let mut state = home.state()?;
    let asked: BTreeSet<String> = if ecosystems.is_empty() {
        mirror.ecosystems().await?
    } else {
        ecosystems.iter().map(|ecosystem| name::base(ecosystem).to_owned()).collect()
    };
    let earlier = &state.feeds;
    let fetches = asked.iter().cloned().map(|ecosystem| async move {
        let report = |received, total| progress(Progress::Fetching { ecosystem: &ecosystem, received, total });
        let archive = home.archive(&ecosystem)?;
        let fetched = mirror.fetch(&ecosystem, &archive, earlier.get(&ecosystem), &report).await;
        progress(Progress::Done { ecosystem: &ecosystem });
        match fetched {
            Ok(fetched) => Ok((ecosystem, Some(fetched))),
            Err(error) if error.is_not_found() => Ok((ecosystem, None)),
            Err(error) => Err(UpdateError::Fetch { ecosystem, error }),
        }
    });
    let results: Vec<_> = stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut missing = Vec::new();
    let mut changed = false;
    for (ecosystem, result) in results {
        match result {
            Some(Some(new)) => {
                changed = true;
                state.feeds.insert(ecosystem, new);
            }
            Some(None) => {}
            None => missing.push(ecosystem),
        }
    }
    missing.sort();
    if !asked.is_empty() && missing.len() == asked.len() {
        return Err(UpdateError::NothingThere { from: mirror.shown(), ecosystems: missing });
    }
    if !changed
        && state.imported.is_empty()
        && !state.compiled.is_empty()
        && let Some(snapshot) = home.current()?
        && Snapshot::open(&snapshot).is_ok()
    {
        home.keep(&state)?;
        return Ok(Outcome { snapshot, compiled: None, missing });
    }
    // The archives are what they are now, whatever becomes of the compilation: the next update must know that it is due.
    state.compiled.clear();
    home.keep(&state)?;
    progress(Progress::Compiling);
    state.imported.clear();
    let mut sources = Vec::new();
    for ecosystem in state.feeds.keys() {
        sources.push(home.archive(ecosystem)?);
    }
    let (snapshot, summary) = install(home.clone(), sources, state).await?;
    drop(lock);
    Ok(Outcome { snapshot, compiled: Some(summary), missing })
}

/// Compiles `sources` (directories of `ECOSYSTEM/all.zip`, zip archives, JSON files) and puts the result in the place of
/// the snapshot of `home`. A later [`update`] replaces it by what is fetched.
///
/// # Errors
/// [`UpdateError`]; the snapshot in use stays as it was.
pub async fn import(home: &Home, sources: &[PathBuf]) -> Result<Outcome, UpdateError> {
    let lock = home.lock().await?;
    let mut state = home.state()?;
    state.imported = sources.to_vec();
    let (snapshot, summary) = install(home.clone(), sources.to_vec(), state).await?;
    drop(lock);
    Ok(Outcome { snapshot, compiled: Some(summary), missing: Vec::new() })
}

/// What is known of the snapshot of `home`; `None` where there is none.
///
/// # Errors
/// The snapshot or what stands beside it cannot be read.
pub fn info(home: &Home) -> Result<Option<Info>, UpdateError> {
    let Some(path) = home.current()? else { return Ok(None) };
    let snapshot = Snapshot::open(&path)?;
    let state = home.state()?;
    let fetched = |info: &EcosystemInfo| {
        let from_feed = state.imported.is_empty();
        from_feed.then(|| state.feeds.get(name::base(&info.name)).cloned()).flatten()
    };
    let ecosystems = snapshot.ecosystems().iter().map(|info| (info.clone(), fetched(info))).collect();
    Ok(Some(Info {
        digest: snapshot.digest(),
        ecosystems,
        imported: state.imported,
        compiled: state.compiled,
        snapshot: path,
    }))
}

/// Compiles, verifies and switches, on a thread that may block.
async fn install(home: Home, sources: Vec<PathBuf>, mut state: State) -> Result<(PathBuf, Summary), UpdateError> {
    let task = tokio::task::spawn_blocking(move || {
        let draft = home.draft()?;
        let summary = compile(&sources, draft.path())?;
        Snapshot::open(draft.path())?.verify()?;
        state.compiled = jiff::Timestamp::now().to_string();
        let snapshot = home.switch(draft, summary.digest, &state)?;
        Ok((snapshot, summary))
    });
    task.await.map_err(|_| UpdateError::Interrupted)?
}

fn io(path: &Path, error: std::io::Error) -> UpdateError {
    UpdateError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests;
