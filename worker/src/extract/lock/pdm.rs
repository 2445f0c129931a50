//! Python: `pdm.lock` (<https://pdm-project.org/latest/usage/lockfile/>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::toml::elements;
use super::{ClaimedFile, Extractor, WHOLE, pypi_source};
use crate::extract::python::normalised;

/// Every package of the lock, of all groups; one with extras stands there once more for each set of them.
pub(crate) static PDM: Extractor = Extractor {
    name: "lock-pdm",
    version: 1,
    claims: |path| is_named(path, &["pdm.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`pdm.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        elements(
            text,
            "package",
            &["name", "version", "git", "path", "url"],
            |_, _| {},
            |package| {
                let has = |key: &str| package.value(key).is_some();
                let registry = match package.text("url") {
                    _ if has("git") => Some("git"),
                    _ if has("path") => Some("local"),
                    Some(url) => pypi_source::registry(&url),
                    None => None,
                };
                let name = package.text("name").unwrap_or_default();
                found.add(Ecosystem::PyPi, normalised(&name), package.text("version").unwrap_or_default(), registry);
            },
        )
    })
}
