//! Scala: `build.sbt.lock` of sbt-dependency-lock (<https://stringbean.github.io/sbt-dependency-lock/file-formats/>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Text, list, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// The dependencies of all configurations.
pub(crate) static SBT: Extractor = Extractor {
    name: "lock-sbt",
    version: 1,
    claims: |path| is_named(path, &["build.sbt.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Maven],
    form: "`build.sbt.lock`",
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
    org: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "dependencies" {
            return skip(map);
        }
        map.next_value_seed(list(|entry: Entry<'de>| match (entry.org.get(), entry.name.get()) {
            (Some(org), Some(name)) => {
                self.0.add(Ecosystem::Maven, format!("{org}:{name}"), entry.version.or_empty(), None);
            }
            _ => self.0.invalid(),
        }))
    }
}
