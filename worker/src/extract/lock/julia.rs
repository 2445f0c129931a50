//! Julia: `Manifest.toml` (<https://pkgdocs.julialang.org/v1/toml-files/#Manifest.toml>), formats 1 and 2.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::split;

use super::found::{Found, read};
use super::place::{has_suffix, is_named};
use super::toml::{Event, events, string};
use super::{ClaimedFile, Extractor, WHOLE};

/// Every package with a version; those of Julia's own library have none, or Julia's.
pub(crate) static JULIA: Extractor = Extractor {
    name: "lock-julia",
    version: 1,
    claims,
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Julia],
    form: "`Manifest.toml`",
    extract,
};

/// `Manifest.toml` or `JuliaManifest.toml`, or with the version of Julia that it is for: `Manifest-v1.11.toml`.
fn claims(path: &[u8]) -> bool {
    is_named(path, &["Manifest.toml", "JuliaManifest.toml"])
        || has_suffix(path, ".toml") && {
            let name = split(path).1;
            name.starts_with(b"Manifest-v") || name.starts_with(b"JuliaManifest-v")
        }
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut entry: Option<Entry<'_>> = None;
        let mut is_below = false;
        for event in events(text) {
            match event? {
                Event::Element(heading) => {
                    entry.take().iter().for_each(|entry| entry.take(found));
                    let name = heading.strip_prefix("deps.").unwrap_or(heading);
                    let name = string(name).unwrap_or(Cow::Borrowed(name));
                    entry = Some(Entry { name, ..Entry::default() });
                    is_below = false;
                }
                Event::Table(_) => is_below = true,
                Event::Member(key, value) => {
                    let Some(entry) = entry.as_mut().filter(|_| !is_below) else { continue };
                    match key {
                        "version" => entry.version = Some(string(value).unwrap_or_default()),
                        "uuid" => entry.uuid = string(value),
                        "path" => entry.registry = Some("local"),
                        "repo-url" => entry.registry = Some("git"),
                        _ => {}
                    }
                }
            }
        }
        entry.iter().for_each(|entry| entry.take(found));
        Ok(())
    })
}

#[derive(Default)]
struct Entry<'a> {
    name: Cow<'a, str>,
    version: Option<Cow<'a, str>>,
    uuid: Option<Cow<'a, str>>,
    registry: Option<&'static str>,
}

impl Entry<'_> {
    fn take(&self, found: &mut Found) {
        let Some(version) = &self.version else { return };
        let mut package = Package::new(Ecosystem::Julia, &*self.name, &**version);
        package.registry = self.registry.map(str::to_owned);
        let uuid = self.uuid.as_deref().filter(|uuid| uuid.len() == 36);
        package.qualifiers.extend(uuid.map(|uuid| ("uuid".to_owned(), uuid.to_ascii_lowercase())));
        found.push(package);
    }
}
