//! .NET: `packages.lock.json` and `project.assets.json`, which NuGet writes
//! (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Object, Text, each, skip};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// `packages.lock.json`: the packages of all frameworks; projects have no version there.
pub(crate) static NUGET: Extractor = Extractor {
    name: "lock-nuget",
    version: 1,
    claims: |path| is_named(path, &["packages.lock.json"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::NuGet],
    form: "`packages.lock.json`",
    extract: |file| read(file, |text, found| json::read(text, &mut Lock { found, is_top: true })),
};

/// `project.assets.json`, what a restore decided for a build: its libraries.
pub(crate) static NUGET_ASSETS: Extractor = Extractor {
    name: "lock-nuget-assets",
    version: 1,
    claims: |path| is_named(path, &["project.assets.json"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::NuGet],
    form: "`project.assets.json`",
    extract: |file: &ClaimedFile<'_>| -> Facts { read(file, |text, found| json::read(text, &mut Assets(found))) },
};

/// The file, or its `dependencies`: packages by framework.
struct Lock<'m> {
    found: &'m mut Found,
    is_top: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match (self.is_top, key) {
            (true, "dependencies") => map.next_value_seed(Object(&mut Lock { found: self.found, is_top: false })),
            (true, _) => skip(map),
            (false, _) => map.next_value_seed(each(|name: &str, entry: Entry<'de>| {
                if entry.kind.get() != Some("Project") {
                    self.found.add(Ecosystem::NuGet, name, entry.resolved.or_empty(), None);
                }
            })),
        }
    }
}

struct Assets<'m>(&'m mut Found);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Library<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

impl<'de> Members<'de> for Assets<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "libraries" {
            return skip(map);
        }
        map.next_value_seed(each(|key: &str, library: Library<'de>| {
            let (name, version) = key.split_once('/').unwrap_or_default();
            let registry = (library.kind.get() == Some("project")).then_some("local");
            self.0.add(Ecosystem::NuGet, name, version, registry);
        }))
    }
}
