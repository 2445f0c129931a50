//! Where queue, cache and store of a farm are.

use std::time::{SystemTime, UNIX_EPOCH};

use super::FarmError;
use super::servers::Servers;

/// The URLs of a farm's doors, as its programs take them.
#[derive(Clone, Debug)]
pub struct Doors {
    /// The queue.
    pub queue: String,
    /// The cache.
    pub cache: String,
    /// The store.
    pub store: String,
}

impl Doors {
    /// The same, with a place in the store that nothing is in yet.
    pub(super) fn with_own_place(&self) -> Self {
        let (place, query) = self.store.split_once('?').unwrap_or((&self.store, ""));
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Self { store: format!("{}/loadtest-{moment:x}{query}", place.trim_end_matches('/')), ..self.clone() }
    }

    /// What tells a program of ours.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let Self { queue, cache, store } = self.clone();
        vec![("LAZARET_QUEUE", queue), ("LAZARET_CACHE", cache), ("LAZARET_STORE", store)]
    }
}

/// The servers that were started for this run.
///
/// # Errors
/// There are none: others were given.
pub(super) fn own(servers: &mut Option<Servers>) -> Result<&mut Servers, FarmError> {
    servers.as_mut().ok_or_else(|| FarmError::Odd("servers that were given are neither broken nor looked into".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_its_own_is_below_the_given_one() {
        for (given, before, after) in [
            ("s3://bucket", "s3://bucket/loadtest-", ""),
            ("s3://bucket/a/?path-style=true", "s3://bucket/a/loadtest-", "?path-style=true"),
            ("file:/srv/store", "file:/srv/store/loadtest-", ""),
        ] {
            let doors = Doors { queue: "q".into(), cache: "c".into(), store: given.into() };
            let own = doors.with_own_place().store;
            assert!(own.starts_with(before) && own.ends_with(after) && own.len() > before.len() + after.len(), "{own}");
        }
    }
}
