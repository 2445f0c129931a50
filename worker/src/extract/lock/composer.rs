//! PHP: `composer.lock` (<https://getcomposer.org/doc/01-basic-usage.md#installing-dependencies>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Text, list, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};
use crate::extract::licence;

/// `packages` and `packages-dev`.
pub(crate) static COMPOSER: Extractor = Extractor {
    name: "lock-composer",
    version: 1,
    claims: |path| is_named(path, &["composer.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Composer],
    form: "`composer.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| json::read(text, &mut Lock(found)))
}

struct Lock<'m>(&'m mut Found);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    license: Vec<Text<'a>>,
    #[serde(borrow)]
    source: Option<Place<'a>>,
    #[serde(borrow)]
    dist: Option<Place<'a>>,
    /// Where installations are reported to, if a registry asks for that.
    #[serde(borrow, rename = "notification-url")]
    notified: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "packages" && key != "packages-dev" {
            return skip(map);
        }
        map.next_value_seed(list(|entry: Entry<'de>| {
            let name = entry.name.or_empty().to_ascii_lowercase();
            if !name.contains('/') {
                return self.0.invalid();
            }
            let mut package = Package::new(Ecosystem::Composer, name, entry.version.or_empty());
            package.registry = registry(&entry).map(str::to_owned);
            let licences: Vec<Cow<'_, str>> = entry.license.into_iter().filter_map(|text| text.0).take(16).collect();
            package.licence = licence::declared(&licences.join(", "));
            self.0.push(package);
        }))
    }
}

/// Where a package is from, if it is certain that it is not Packagist or a mirror of it. A fork on a well-known host has
/// an archive too, and cannot be told from what a mirror gave out.
fn registry(entry: &Entry<'_>) -> Option<&'static str> {
    match (&entry.dist, &entry.source) {
        (Some(dist), _) if dist.kind.get() == Some("path") => Some("local"),
        (None, Some(_)) if entry.notified.get().is_none() => Some("git"),
        _ => None,
    }
}
