//! The tokens that may call, as a TOML file lists them: `[[token]]` with name, hash, scopes and, if it ends, expires.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::access::Caller;
use super::token::{self, Scope};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The most bytes that are read of one.
const MAX_FILE: u64 = 4 << 20;

/// A tokens file, read again when it changes.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    tokens: Arc<[Token]>,
    seen: Option<Stamp>,
    looked: Instant,
}

/// Modification time, size and inode: an editor changes one of them.
type Stamp = (i64, i64, u64, u64);

#[derive(Debug)]
struct Token {
    hash: blake3::Hash,
    expires: Option<Timestamp>,
    caller: Caller,
}

/// What is known of a token.
pub(super) enum Known {
    /// Whose it is.
    Valid(Caller),
    /// It was one.
    Expired,
    /// Nothing.
    No,
}

/// Why a tokens file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("tokens file {}: {reason}", path.display())]
pub struct TokenFileError {
    path: PathBuf,
    reason: String,
}

impl TokenFile {
    /// Reads the file.
    pub(super) fn open(path: PathBuf) -> Result<Self, TokenFileError> {
        let seen = stamp(&path);
        let tokens = read(&path)?;
        if tokens.is_empty() {
            tracing::warn!("{} lists no token: nobody may call the API", path.display());
        }
        Ok(Self { path, read: Mutex::new(Read { tokens, seen, looked: Instant::now() }) })
    }

    /// Whose token this is. Takes the same time for each that is not known, however much of it is right.
    pub(super) fn find(&self, token: &str) -> Known {
        let hash = token::hash(token);
        let mut found = None;
        let tokens = self.tokens();
        for token in tokens.iter() {
            if token.hash == hash {
                found = Some(token);
            }
        }
        match found {
            None => Known::No,
            Some(token) if token.expires.is_some_and(|expires| expires <= Timestamp::now()) => Known::Expired,
            Some(token) => Known::Valid(token.caller.clone()),
        }
    }

    /// The tokens. A file that was broken while it was edited changes nothing: the last good one holds.
    fn tokens(&self) -> Arc<[Token]> {
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if last.looked.elapsed() >= LOOK {
            last.looked = Instant::now();
            let now = stamp(&self.path);
            if now != last.seen {
                last.seen = now;
                match read(&self.path) {
                    Ok(tokens) => {
                        tracing::info!("read {} tokens from {}", tokens.len(), self.path.display());
                        last.tokens = tokens;
                    }
                    Err(error) => tracing::error!("{error}; the tokens of before hold"),
                }
            }
        }
        Arc::clone(&last.tokens)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.mtime(), metadata.mtime_nsec(), metadata.size(), metadata.ino()))
}

fn read(path: &Path) -> Result<Arc<[Token]>, TokenFileError> {
    let failed = |reason: String| TokenFileError { path: path.to_owned(), reason };
    let size = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(failed(format!("larger than {MAX_FILE} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    parse(&text).map_err(failed)
}

/// The names in the text of a tokens file.
pub(crate) fn names(text: &str) -> Result<Vec<String>, String> {
    Ok(parse(text)?.iter().map(|token| token.caller.name.to_string()).collect())
}

fn parse(text: &str) -> Result<Arc<[Token]>, String> {
    // A misspelt `expires` must not make a token that lasts for ever.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        token: Vec<Row>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        name: String,
        hash: String,
        scopes: Vec<Scope>,
        expires: Option<String>,
    }
    // What TOML shows of the file could be a token that was written where its hash belongs.
    let file: File = toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut names = HashSet::new();
    let tokens = file.token.into_iter().enumerate().map(|(index, row)| {
        let Row { name, hash, scopes, expires } = row;
        if !token::is_name(&name) {
            return Err(format!(
                "token {}: a name is 1 to 64 letters, digits, dots, dashes and underscores",
                index + 1
            ));
        }
        if !names.insert(name.clone()) {
            return Err(format!("two tokens are named `{name}`"));
        }
        let hash = blake3::Hash::from_hex(&hash)
            .map_err(|_| format!("the hash of `{name}` is not 64 hexadecimal digits; `lazaret token new` prints it"))?;
        if scopes.is_empty() {
            return Err(format!("`{name}` has no scope"));
        }
        let expires = expires.as_deref().map(moment).transpose().map_err(|reason| format!("`{name}`: {reason}"))?;
        Ok(Token { hash, expires, caller: Caller::new(&name, &scopes) })
    });
    tokens.collect()
}

/// When a token ends: a moment, or the end of a day in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let malformed = || "expires is a day (2027-01-31) or a moment (2027-01-31T12:00:00Z)".to_owned();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day: Date = text.parse().map_err(|_| malformed())?;
    let next = day.tomorrow().map_err(|_| malformed())?;
    next.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, rest: &str) -> String {
        format!("[[token]]\nname = \"{name}\"\nhash = \"{}\"\n{rest}\n", token::hash(name).to_hex())
    }

    #[test]
    fn days_end_at_midnight() {
        assert_eq!(moment("2027-01-31").unwrap().to_string(), "2027-02-01T00:00:00Z");
        assert_eq!(moment("2027-01-31T12:00:00+02:00").unwrap().to_string(), "2027-01-31T10:00:00Z");
        assert!(moment("soon").is_err());
    }

    #[test]
    fn what_could_be_a_mistake_is_refused() {
        let good = row("a", "scopes = [\"scan\"]\nexpires = \"2027-01-31\"");
        assert_eq!(names(&good).unwrap(), ["a"]);
        for (bad, says) in [
            (row("a", "scopes = [\"scan\"]\nexpire = \"2027-01-31\""), "expire"),
            (row("a", "scopes = [\"write\"]"), "write"),
            (row("a", "scopes = []"), "no scope"),
            (row("a b", "scopes = [\"scan\"]"), "letters"),
            (good.repeat(2), "two tokens"),
            ("[[token]]\nname = \"a\"\nscopes = [\"scan\"]\nhash = \"lzr_secret\"".into(), "64 hexadecimal"),
        ] {
            let error = names(&bad).unwrap_err();
            assert!(error.contains(says) && !error.contains("lzr_secret"), "{error}");
        }
    }
}
