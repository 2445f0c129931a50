//! Where things are kept unless the user says otherwise: the XDG base directories. Every environment variable that the
//! command line reads is read here, or by the door that it belongs to.

use std::path::{Path, PathBuf};

use lazaret::door::source::registry::Secret;

use lazaret::exposure::IdentityKey;

use super::Failure;
use crate::advisory::update::Home;

/// The default store: `$XDG_CACHE_HOME/lazaret/store`, or the same below `~/.cache`. Everything in it can be made again.
pub(super) fn store_url() -> Option<String> {
    base("XDG_CACHE_HOME", ".cache").and_then(|base| base.join("store").to_str().map(|path| format!("file:{path}")))
}

/// Where advisories are: the directory or file that was `given`, else `$XDG_DATA_HOME/lazaret/advisories`, or the same below
/// `~/.local/share`.
pub(super) fn advisory_home(given: Option<&Path>) -> Result<Home, Failure> {
    match given {
        Some(path) if path.is_dir() => Ok(Home::directory(path)),
        Some(path) => Ok(Home::file(path)),
        None => base("XDG_DATA_HOME", ".local/share")
            .map(|base| Home::directory(base.join("advisories")))
            .ok_or_else(|| Failure::new("there is no home directory to keep advisories in; write --advisories FILE")),
    }
}

fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    // The XDG specification: a relative path there is to be ignored.
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        given.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home)))?;
    Some(base.join("lazaret"))
}

/// The token for a farm: `$LAZARET_TOKEN`. Never an argument, which anybody on the machine can read.
pub(super) fn farm_token() -> Option<Secret> {
    std::env::var("LAZARET_TOKEN").ok().map(|token| token.trim().to_owned()).filter(|t| !t.is_empty()).map(Secret::new)
}

/// What the identities of secrets are keyed with: `$LAZARET_IDENTITY_KEY`.
///
/// # Errors
/// It is too short.
pub(super) fn identity_key() -> Result<Option<IdentityKey>, Failure> {
    let given = std::env::var("LAZARET_IDENTITY_KEY").ok().filter(|key| !key.is_empty());
    let key = given.map(|key| IdentityKey::of(&key)).transpose();
    key.map_err(|error| Failure::new(format_args!("LAZARET_IDENTITY_KEY: {error}")))
}

/// A door as the environment names it: `$LAZARET_QUEUE`, `$LAZARET_CACHE` or `$LAZARET_STORE`.
pub(super) fn door(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}
