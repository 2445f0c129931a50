//! Node: `package-lock.json` and `npm-shrinkwrap.json`
//! (<https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use serde::Deserialize;
use serde::de::MapAccess;

use super::found::{Found, read};
use super::json::{self, Members, Object, Text, each, skip};
use super::npm_source::{name_and_version, registry, version_at};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};
use crate::extract::licence;
use crate::extract::npm::is_name;

/// Every package of the lock but the project itself: from `packages`, or in version 1, from the tree of `dependencies`.
pub(crate) static NPM: Extractor = Extractor {
    name: "lock-npm",
    version: 1,
    claims: |path| is_named(path, &["package-lock.json", "npm-shrinkwrap.json"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`package-lock.json`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| json::read(text, &mut Lock { found, has_packages: false }))
}

struct Lock<'m> {
    found: &'m mut Found,
    has_packages: bool,
}

impl<'de> Members<'de> for Lock<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "packages" => {
                self.has_packages = true;
                map.next_value_seed(each(|path: &str, entry: Entry<'de>| take(path, &entry, self.found)))
            }
            // Version 2 has both, for npm 6.
            "dependencies" if !self.has_packages => map.next_value_seed(Object(&mut Level(self.found))),
            _ => skip(map),
        }
    }
}

/// A package by the path where it is to be installed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    resolved: Text<'a>,
    #[serde(borrow)]
    license: Text<'a>,
    link: bool,
}

fn take(path: &str, entry: &Entry<'_>, found: &mut Found) {
    // A link leads to an entry of its own; without a version there is nothing that npm would call a package.
    let (false, Some(version)) = (path.is_empty() || entry.link, entry.version.get()) else { return };
    let installed = path.rsplit_once("node_modules/").map(|(_, name)| name);
    let registry = match installed {
        Some(_) => entry.resolved.get().and_then(registry),
        None => Some("local"),
    };
    let name = entry.name.get().or(installed).or(path.rsplit('/').next()).unwrap_or_default();
    if !is_name(name) {
        return found.invalid();
    }
    let mut package = Package::new(Ecosystem::Npm, name, version);
    package.registry = registry.map(str::to_owned);
    package.licence = entry.license.get().and_then(licence::declared);
    found.push(package);
}

/// `dependencies` of version 1, at any depth: names and packages.
struct Level<'m>(&'m mut Found);

impl<'de> Members<'de> for Level<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let mut dependency = Dependency { found: self.0, version: Text::default() };
        map.next_value_seed(Object(&mut dependency))?;
        let version = dependency.version.or_empty().to_owned();
        // A version may be a place instead, or another name: `npm:NAME@VERSION`.
        let (name, version) = version.strip_prefix("npm:").and_then(name_and_version).unwrap_or((name, &version));
        let from = registry(version);
        // Where a place says no version, there is nothing that npm would call a package either.
        let is_place = from.is_some() || version.contains("://");
        let version = if is_place { version_at(version, name) } else { Some(version) };
        if !is_name(name) {
            self.0.invalid();
        } else if let Some(version) = version {
            self.0.add(Ecosystem::Npm, name, version, from);
        }
        Ok(())
    }
}

/// One package of version 1, and those nested in it.
struct Dependency<'m, 'a> {
    found: &'m mut Found,
    version: Text<'a>,
}

impl<'de> Members<'de> for Dependency<'_, 'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "version" => self.version = map.next_value()?,
            "dependencies" => map.next_value_seed(Object(&mut Level(self.found)))?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lazaret::inventory::GapKind;
    use lazaret::path::LayerPath;

    use super::*;

    fn read(content: &str) -> Facts {
        let path = LayerPath::from("package-lock.json");
        extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn where_a_package_comes_from_is_kept() {
        let facts = read(
            r#"{"packages":{
                "node_modules/a":{"version":"1.0.0","resolved":"git+ssh://git@github.com/x/a.git#0"},
                "node_modules/b":{"resolved":"packages/b","link":true},
                "packages/b":{"version":"2.0.0"},
                "node_modules/c/node_modules/@s/d":{"name":"e","version":"3.0.0","license":"MIT"}}}"#,
        );
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|package| (package.name.as_str(), package.version.as_str(), package.registry.as_deref()))
            .collect();
        assert_eq!(found, [("a", "1.0.0", Some("git")), ("b", "2.0.0", Some("local")), ("e", "3.0.0", None)]);
        assert_eq!(facts.packages[2].licence.as_deref(), Some("MIT"));
        assert!(facts.declared && facts.gaps.is_empty());
    }

    #[test]
    fn version_1_has_places_for_versions() {
        let facts = read(
            r#"{"lockfileVersion":1,"dependencies":{
                "a":{"version":"git+ssh://git@github.com/x/a.git#0123abc","from":"a@github:x/a"},
                "@s/b":{"version":"https://registry.npmjs.org/@s/b/-/b-1.0.0.tgz"},
                "c":{"version":"https://x.example/c-2.0.0.tgz"},
                "d":{"version":"file:../d"},
                "e":{"version":"npm:f@3.0.0"}}}"#,
        );
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|package| (package.name.as_str(), package.version.as_str(), package.registry.as_deref()))
            .collect();
        let expected = [
            ("@s/b", "1.0.0", None),
            ("a", "0123abc", Some("git")),
            ("c", "2.0.0", Some("registry")),
            ("f", "3.0.0", None),
        ];
        assert_eq!((found, facts.gaps), (expected.to_vec(), Vec::new()));
    }

    #[test]
    fn version_1_nested_without_end_is_a_gap() {
        let deep = r#"{"dependencies":{"a":"#.repeat(1 << 16);
        let facts = read(&deep);
        assert_eq!((facts.packages.len(), facts.gaps.len(), facts.gaps[0].kind), (0, 1, GapKind::Malformed));
    }
}
