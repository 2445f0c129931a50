//! Rust: `Cargo.lock` (<https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>; versions 1 to 4 differ in
//! the checksums and the references between packages alone).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};

use super::found::read;
use super::place::is_named;
use super::toml::elements;
use super::{ClaimedFile, Extractor, WHOLE};

/// Every crate of the lock. One without a source is of the workspace or reached by a path.
pub(crate) static CARGO: Extractor = Extractor {
    name: "lock-cargo",
    version: 1,
    claims: |path| is_named(path, &["Cargo.lock"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Cargo],
    form: "`Cargo.lock`",
    extract,
};

/// The newest version of the format that is known.
const NEWEST: u64 = 4;

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut version = Some(NEWEST);
        elements(
            text,
            "package",
            &["name", "version", "source"],
            |key, value| {
                if key == "version" {
                    version = value.parse().ok();
                }
            },
            |package| {
                let source = package.value("source").map(|_| package.text("source").unwrap_or_default());
                found.add(
                    Ecosystem::Cargo,
                    package.text("name").unwrap_or_default(),
                    package.text("version").unwrap_or_default(),
                    registry(source.as_deref()),
                );
            },
        )?;
        if version.is_none_or(|version| version > NEWEST) {
            found.gap(GapKind::Unsupported, format!("a later version of the format, read as version {NEWEST}"));
        }
        Ok(())
    })
}

/// What a source says; <https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>.
fn registry(source: Option<&str>) -> Option<&'static str> {
    const CRATES_IO: [&str; 2] =
        ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];
    match source {
        None => Some("local"),
        Some(source) if CRATES_IO.contains(&source) => None,
        Some(source) if source.starts_with("git+") => Some("git"),
        Some(source) if source.starts_with("path+") || source.starts_with("directory+") => Some("local"),
        Some(_) => Some("registry"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        for (source, expected) in [
            (None, Some("local")),
            (Some("registry+https://github.com/rust-lang/crates.io-index"), None),
            (Some("sparse+https://index.crates.io/"), None),
            (Some("registry+https://crates.example/index"), Some("registry")),
            (Some("sparse+https://crates.example/index/"), Some("registry")),
            (Some("git+https://github.com/a/b?branch=x#0123"), Some("git")),
        ] {
            assert_eq!(registry(source), expected, "{source:?}");
        }
    }
}
