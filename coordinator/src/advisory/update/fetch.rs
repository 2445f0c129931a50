//! Fetches one file over HTTP: only if it changed, from where the last try ended, and again where that helps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

use super::retry;

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server does not have it.
    #[error("the server does not have it (404)")]
    NotFound,
    /// Any other answer that is none.
    #[error("the server answered {0}")]
    Status(StatusCode),
    /// Too many tries failed.
    #[error("{0}")]
    Http(reqwest::Error),
    /// Larger than anything we expect.
    #[error("it is larger than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// It came whole, and is not what it should be.
    #[error("it is no zip archive")]
    NotAnArchive,
    /// The server answers with another range than the one asked for.
    #[error("the server sent another part than was asked for")]
    WrongRange,
    /// It cannot be written.
    #[error("cannot write {path}: {error}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl FetchError {
    /// Whether there is no such file at all.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound)
    }

    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Http(error) => !error.is_builder() && !error.is_redirect(),
            Self::WrongRange => true,
            _ => false,
        }
    }
}

/// A file to fetch.
pub(super) struct Wanted<'a> {
    pub(super) client: &'a Client,
    pub(super) url: Url,
    /// Where it goes; `PATH.part` and `PATH.part.etag` are what there is of it so far.
    pub(super) into: &'a Path,
    /// The validator of what is in `into` already; empty for none.
    pub(super) etag: &'a str,
    /// Bytes that it may have.
    pub(super) limit: u64,
    /// Called with the bytes that are there and the bytes in all.
    pub(super) progress: &'a (dyn Fn(u64, Option<u64>) + Sync),
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// What is there is what the server has.
    NotModified,
    /// The whole file is in `PATH.part`; the validator (empty for none) and the length.
    New(String, u64),
}

/// Fetches `wanted`. The caller moves `PATH.part` to its place, or removes it where its content is no good.
pub(super) async fn fetch(wanted: &Wanted<'_>) -> Result<Answer, FetchError> {
    let mut failures = 0;
    loop {
        let before = length(&wanted.part()).await;
        let (error, wait) = match attempt(wanted, before).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        failures = if length(&wanted.part()).await > before { 1 } else { failures + 1 };
        if !error.is_transient() || failures >= retry::TRIES {
            return Err(error);
        }
        tokio::time::sleep(wait.unwrap_or_else(|| retry::backoff(failures))).await;
    }
}

/// Fetches a small text of at most `limit` bytes.
pub(super) async fn text(client: &Client, url: Url, limit: u64) -> Result<String, FetchError> {
    let mut failures = 0;
    loop {
        let (error, wait) = match text_once(client, url.clone(), limit).await {
            Ok(text) => return Ok(text),
            Err(failure) => failure,
        };
        failures += 1;
        if !error.is_transient() || failures >= retry::TRIES {
            return Err(error);
        }
        tokio::time::sleep(wait.unwrap_or_else(|| retry::backoff(failures))).await;
    }
}

async fn text_once(client: &Client, url: Url, limit: u64) -> Result<String, Failure> {
    let http = |error: reqwest::Error| (FetchError::Http(error.without_url()), None);
    let mut response = client.get(url).send().await.map_err(http)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err((FetchError::NotFound, None)),
        status => {
            let wait = retry::asked_for(response.headers(), jiff::Timestamp::now());
            return Err((FetchError::Status(status), wait));
        }
    }
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(http)? {
        text.extend_from_slice(&chunk);
        if text.len() as u64 > limit {
            return Err((FetchError::TooLarge(limit), None));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

type Failure = (FetchError, Option<Duration>);

impl Wanted<'_> {
    fn part(&self) -> PathBuf {
        beside(self.into, ".part")
    }

    fn io(&self) -> impl Fn(std::io::Error) -> Failure + '_ {
        |error| (FetchError::Io { path: self.into.to_owned(), error }, None)
    }
}

/// `PATH` with `suffix` behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

async fn length(path: &Path) -> u64 {
    fs::metadata(path).await.map_or(0, |metadata| metadata.len())
}

/// One request, and its body as far as it comes.
async fn attempt(wanted: &Wanted<'_>, have: u64) -> Result<Answer, Failure> {
    let part_etag = beside(wanted.into, ".part.etag");
    let etag = fs::read_to_string(&part_etag).await.unwrap_or_default();
    let mut request = wanted.client.get(wanted.url.clone());
    let resuming = have > 0 && !etag.is_empty();
    if resuming {
        request = request.header(RANGE, format!("bytes={have}-")).header(IF_RANGE, &etag);
    } else if !wanted.etag.is_empty() {
        request = request.header(IF_NONE_MATCH, wanted.etag);
    }
    let response = request.send().await.map_err(|error| (FetchError::Http(error.without_url()), None))?;
    let wait = retry::asked_for(response.headers(), jiff::Timestamp::now());
    let (start, total) = match response.status() {
        StatusCode::NOT_MODIFIED => return Ok(Answer::NotModified),
        StatusCode::OK => (0, response.content_length()),
        StatusCode::PARTIAL_CONTENT if resuming => match content_range(response.headers()) {
            Some((start, total)) if start == have => (start, total),
            _ => {
                forget(wanted).await;
                return Err((FetchError::WrongRange, None));
            }
        },
        StatusCode::RANGE_NOT_SATISFIABLE if resuming => {
            forget(wanted).await;
            return Err((FetchError::WrongRange, None));
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err((FetchError::NotFound, None)),
        status => return Err((FetchError::Status(status), wait)),
    };
    if total.is_some_and(|total| total > wanted.limit) {
        return Err((FetchError::TooLarge(wanted.limit), None));
    }
    let etag = strong_etag(response.headers());
    let mut file = if start > 0 {
        File::options().append(true).open(wanted.part()).await.map_err(wanted.io())?
    } else {
        // The old part goes first: it must never be taken for one of the new version.
        let file = File::create(wanted.part()).await.map_err(wanted.io())?;
        fs::write(&part_etag, &etag).await.map_err(wanted.io())?;
        file
    };
    let received = receive(wanted, response, &mut file, start, total).await?;
    file.sync_all().await.map_err(wanted.io())?;
    Ok(Answer::New(etag, received))
}

/// Writes the body; what had come before an error is kept.
async fn receive(
    wanted: &Wanted<'_>,
    mut response: Response,
    file: &mut File,
    start: u64,
    total: Option<u64>,
) -> Result<u64, Failure> {
    let mut received = start;
    loop {
        (wanted.progress)(received, total);
        match response.chunk().await {
            Ok(Some(chunk)) => {
                received += chunk.len() as u64;
                if received > wanted.limit {
                    return Err((FetchError::TooLarge(wanted.limit), None));
                }
                file.write_all(&chunk).await.map_err(wanted.io())?;
            }
            Ok(None) => {
                file.flush().await.map_err(wanted.io())?;
                return Ok(received);
            }
            Err(error) => {
                file.flush().await.map_err(wanted.io())?;
                return Err((FetchError::Http(error.without_url()), None));
            }
        }
    }
}

/// Starts anew next time.
async fn forget(wanted: &Wanted<'_>) {
    let _ = fs::remove_file(wanted.part()).await;
    let _ = fs::remove_file(beside(wanted.into, ".part.etag")).await;
}

/// `bytes 100-199/200`: the first byte and, unless it is `*`, the length of the whole.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// A weak validator promises nothing about bytes, so nothing can be resumed by it.
fn strong_etag(headers: &HeaderMap) -> String {
    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
    if etag.starts_with("W/") { String::new() } else { etag.to_owned() }
}
