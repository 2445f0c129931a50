//! Python: `pylock.toml`, the lockfile of all tools (<https://packaging.python.org/en/latest/specifications/pylock-toml/>).

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::path::split;

use super::found::read;
use super::place::{has_suffix, is_named};
use super::toml::{elements, members, string};
use super::{ClaimedFile, Extractor, WHOLE, pypi_source};
use crate::extract::python::normalised;

/// Every package of the lock, whatever its markers. A source tree need not have a version there.
pub(crate) static PYLOCK: Extractor = Extractor {
    name: "lock-pylock",
    version: 1,
    claims,
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "`pylock.toml`",
    extract,
};

/// `pylock.toml`, or `pylock.NAME.toml` with a name that has no dot.
fn claims(path: &[u8]) -> bool {
    is_named(path, &["pylock.toml"])
        || has_suffix(path, ".toml")
            && split(path)
                .1
                .strip_prefix(b"pylock.")
                .and_then(|rest| rest.strip_suffix(b".toml"))
                .is_some_and(|name| !name.is_empty() && !name.contains(&b'.'))
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        elements(
            text,
            "packages",
            &[
                "name",
                "version",
                "vcs",
                "vcs.type",
                "directory",
                "directory.path",
                "archive",
                "archive.url",
                "archive.path",
            ],
            |_, _| {},
            |package| {
                let has = |key: &str| package.value(key).is_some();
                let registry = if has("vcs") || has("vcs.type") {
                    Some("git")
                } else if has("directory") || has("directory.path") || has("archive.path") {
                    Some("local")
                } else {
                    let inline = package.value("archive").map(url);
                    let url = package.text("archive.url").or(inline);
                    url.and_then(|url| pypi_source::registry(&url))
                };
                if !has("version") && (registry.is_some() || has("archive") || has("archive.url")) {
                    return;
                }
                let name = package.text("name").unwrap_or_default();
                found.add(Ecosystem::PyPi, normalised(&name), package.text("version").unwrap_or_default(), registry);
            },
        )
    })
}

/// The `url` in an inline table; nothing where there is none.
fn url(table: &str) -> Cow<'_, str> {
    members(table).find_map(|(key, value)| string(value).filter(|_| key == "url")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_stand_between() {
        for (path, claimed) in [
            ("pylock.toml", true),
            ("a/pylock.dev.toml", true),
            ("a/pylock..toml", false),
            ("a/pylock.a.b.toml", false),
            ("a/xpylock.toml", false),
            ("a/pyproject.toml", false),
        ] {
            assert_eq!(claims(path.as_bytes()), claimed, "{path}");
        }
    }
}
