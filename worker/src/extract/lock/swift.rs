//! Swift: `Package.resolved` in its versions 1 to 3 (SwiftPM's `ResolvedPackagesStore`,
//! <https://docs.swift.org/package-manager/PackageDescription/PackageDescription.html>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Object, Text, list, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// Every pin. One of a branch has the commit for a version.
pub(crate) static SWIFT: Extractor = Extractor {
    name: "lock-swift",
    version: 1,
    claims: |path| is_named(path, &["Package.resolved"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Swift],
    form: "`Package.resolved`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| json::read(text, &mut Lock(found)))
}

/// The file, or its `object`, where version 1 has the pins.
struct Lock<'m>(&'m mut Found);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pin<'a> {
    #[serde(borrow)]
    identity: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow, alias = "repositoryURL")]
    location: Text<'a>,
    #[serde(borrow)]
    state: State<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    revision: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "object" => map.next_value_seed(Object(&mut Lock(self.0))),
            "pins" => map.next_value_seed(list(|pin: Pin<'de>| take(&pin, self.0))),
            _ => skip(map),
        }
    }
}

fn take(pin: &Pin<'_>, found: &mut Found) {
    let location = pin.location.or_empty();
    let (name, registry) = match pin.kind.get() {
        // `scope.name` of a package registry, of which there is no public one.
        Some("registry") => (Cow::Borrowed(pin.identity.or_empty()), Some("registry")),
        Some("localSourceControl") => (Cow::Borrowed(pin.identity.or_empty()), Some("local")),
        _ => (name(location), None),
    };
    match pin.state.version.get() {
        Some(version) => found.add(Ecosystem::Swift, name, version, registry),
        None => found.add(Ecosystem::Swift, name, pin.state.revision.or_empty(), registry.or(Some("git"))),
    }
}

/// `host/user/repo` of a repository's address, `https://host/user/repo.git` or `git@host:user/repo.git`.
fn name(location: &str) -> Cow<'_, str> {
    let trimmed = location.trim_end_matches('/');
    let bare = trimmed.strip_suffix(".git").unwrap_or(trimmed);
    match bare.split_once("://") {
        Some((_, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            Cow::Owned(format!("{}/{path}", host.to_ascii_lowercase()))
        }
        None => match bare.split_once(':') {
            Some((host, path)) => {
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                Cow::Owned(format!("{}/{path}", host.to_ascii_lowercase()))
            }
            None => Cow::Borrowed(bare),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names() {
        for (location, expected) in [
            ("https://github.com/Alamofire/Alamofire.git", "github.com/Alamofire/Alamofire"),
            ("https://user@GitHub.com/a/b/", "github.com/a/b"),
            ("git@github.com:a/b.git", "github.com/a/b"),
            ("ssh://git@github.com/a/b", "github.com/a/b"),
            ("", ""),
        ] {
            assert_eq!(name(location), expected);
        }
    }
}
