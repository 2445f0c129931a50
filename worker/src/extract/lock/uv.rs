//! Python: `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::toml::{elements, members, string};
use super::{ClaimedFile, Extractor, WHOLE, pypi_source};
use crate::extract::python::normalised;

/// Every package of the lock, of all groups and platforms.
pub(crate) static UV: Extractor = Extractor {
    name: "lock-uv",
    version: 1,
    claims: |path| is_named(path, &["uv.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`uv.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        elements(
            text,
            "package",
            &["name", "version", "source"],
            |_, _| {},
            |package| {
                let registry = package.value("source").and_then(registry);
                // A project whose version its build tells has none in the lock.
                if package.value("version").is_none() && registry == Some("local") {
                    return;
                }
                let name = package.text("name").unwrap_or_default();
                found.add(Ecosystem::PyPi, normalised(&name), package.text("version").unwrap_or_default(), registry);
            },
        )
    })
}

fn registry(source: &str) -> Option<&'static str> {
    members(source).find_map(|(key, value)| match key {
        "git" => Some("git"),
        "virtual" | "editable" | "directory" | "path" => Some("local"),
        "url" => pypi_source::registry(&string(value).unwrap_or_default()),
        _ => None,
    })
}
