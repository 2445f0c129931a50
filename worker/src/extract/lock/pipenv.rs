//! Python: `Pipfile.lock` (<https://pipenv.pypa.io/en/latest/pipfile.html>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Text, each, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE, pypi_source};
use crate::extract::python::normalised;

/// The packages of every category that have a version: `default`, `develop` and those of one's own.
pub(crate) static PIPENV: Extractor = Extractor {
    name: "lock-pipenv",
    version: 1,
    claims: |path| is_named(path, &["Pipfile.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`Pipfile.lock`",
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
    version: Text<'a>,
    #[serde(borrow)]
    git: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    file: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == "_meta" {
            return skip(map);
        }
        map.next_value_seed(each(|name: &str, entry: Entry<'de>| {
            let registry = match (entry.git.get(), entry.path.get(), entry.file.get()) {
                (Some(_), ..) => Some("git"),
                (_, Some(_), _) => Some("local"),
                (.., Some(url)) => pypi_source::registry(url),
                _ => None,
            };
            match entry.version.get() {
                // What comes from elsewhere is locked by a commit or a hash.
                None if registry.is_some() || entry.file.get().is_some() => {}
                version => {
                    let version = version.unwrap_or_default();
                    let pinned = version.strip_prefix("===").or_else(|| version.strip_prefix("==")).unwrap_or_default();
                    self.0.add(Ecosystem::PyPi, normalised(name), pinned, registry);
                }
            }
        }))
    }
}
