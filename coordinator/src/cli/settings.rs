//! Where things are kept unless the user says otherwise: the XDG base directories. Every environment variable that the
//! command line reads is read here, or by the door that it belongs to.

use std::path::PathBuf;

/// The default store: `$XDG_CACHE_HOME/lazaret/store`, or the same below `~/.cache`. Everything in it can be made again.
pub(super) fn store_url() -> Option<String> {
    base("XDG_CACHE_HOME", ".cache").and_then(|base| base.join("store").to_str().map(|path| format!("file:{path}")))
}

/// The default place of advisories: `$XDG_DATA_HOME/lazaret/advisories`, or the same below `~/.local/share`.
pub(super) fn advisories() -> Option<PathBuf> {
    base("XDG_DATA_HOME", ".local/share").map(|base| base.join("advisories"))
}

fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    // The XDG specification: a relative path there is to be ignored.
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        given.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home)))?;
    Some(base.join("lazaret"))
}
