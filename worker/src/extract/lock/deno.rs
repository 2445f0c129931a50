//! Deno: the npm packages of `deno.lock` (<https://docs.deno.com/runtime/fundamentals/modules/#integrity-checking-and-lock-files>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use serde::de::{IgnoredAny, MapAccess};

use super::found::{Found, read};
use super::json::{self, Members, Object, each, skip};
use super::npm_source::name_and_version;
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};
use crate::extract::npm::is_name;

/// What npm's registry has of it; JSR and modules by address are of no ecosystem with advisories.
pub(crate) static DENO: Extractor = Extractor {
    name: "lock-deno",
    version: 1,
    claims: |path| is_named(path, &["deno.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`deno.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| json::read(text, &mut Level { found, is_top: true }))
}

/// The file, or `packages` in it, where version 3 has `npm`.
struct Level<'m> {
    found: &'m mut Found,
    is_top: bool,
}

impl<'de> Members<'de> for Level<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "npm" => map.next_value_seed(Object(&mut Npm(self.found))),
            "packages" if self.is_top => map.next_value_seed(Object(&mut Level { found: self.found, is_top: false })),
            _ => skip(map),
        }
    }
}

/// Packages by `name@version`, with their peers after `_`. Version 2 has them in `packages`, beside `specifiers`.
struct Npm<'m>(&'m mut Found);

impl<'de> Members<'de> for Npm<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match name_and_version(key) {
            None if key == "packages" => map.next_value_seed(each(|key: &str, _: IgnoredAny| take(key, self.0))),
            None if key == "specifiers" => skip(map),
            _ => {
                take(key, self.0);
                skip(map)
            }
        }
    }
}

fn take(key: &str, found: &mut Found) {
    match name_and_version(key) {
        Some((name, version)) if is_name(name) => {
            let version = version.split_once('_').map_or(version, |(version, _)| version);
            found.add(Ecosystem::Npm, name, version, None);
        }
        _ => found.invalid(),
    }
}
