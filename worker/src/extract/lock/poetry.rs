//! Python: `poetry.lock` (<https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::read;
use super::place::is_named;
use super::toml::elements;
use super::{ClaimedFile, Extractor, WHOLE, pypi_source};
use crate::extract::python::normalised;

/// Every package of the lock, of all groups.
pub(crate) static POETRY: Extractor = Extractor {
    name: "lock-poetry",
    version: 1,
    claims: |path| is_named(path, &["poetry.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`poetry.lock`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        elements(
            text,
            "package",
            &["name", "version", "source.type", "source.url"],
            |_, _| {},
            |package| {
                let registry = match package.text("source.type").as_deref() {
                    Some("git" | "hg" | "svn") => Some("git"),
                    Some("directory" | "file") => Some("local"),
                    Some("url") => pypi_source::registry(&package.text("source.url").unwrap_or_default()),
                    // `legacy` is an index other than PyPI.
                    _ => None,
                };
                let name = package.text("name").unwrap_or_default();
                found.add(Ecosystem::PyPi, normalised(&name), package.text("version").unwrap_or_default(), registry);
            },
        )
    })
}
