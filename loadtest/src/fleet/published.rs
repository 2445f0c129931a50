//! What is published: packages with their versions in order, and what is known about these.

use std::collections::HashMap;
use std::sync::LazyLock;

use lazaret::ecosystem::Ecosystem;

/// A package of a synthetic image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FleetPackage {
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// Its name, as its ecosystem normalises it.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The name of the source package; the same as `name` for most.
    pub source: &'static str,
}

/// A package with its versions, from the oldest on, and its advisories.
pub(super) struct Published {
    /// The ecosystem in OSV's words, with the release.
    pub(super) stream: &'static str,
    pub(super) source: &'static str,
    pub(super) name: &'static str,
    pub(super) versions: Vec<&'static str>,
    pub(super) advisories: Vec<Fact>,
}

/// One advisory about one package.
pub(super) struct Fact {
    pub(super) id: &'static str,
    /// The CVE, where it is about one.
    pub(super) cve: &'static str,
    /// Index of the version that fixes it.
    pub(super) fixed: usize,
    pub(super) vector: &'static str,
    /// The night since which it is known.
    pub(super) night: u32,
}

impl Published {
    /// The package at one of its versions.
    pub(super) fn at(&self, version: usize) -> FleetPackage {
        let ecosystem = packaging(self.stream);
        FleetPackage { ecosystem, name: self.name, version: self.versions[version], source: self.source }
    }
}

/// Everything that is published.
pub(super) struct Catalogue {
    /// All packages about which something is known.
    pub(super) published: Vec<Published>,
    fillers: HashMap<Ecosystem, Vec<FleetPackage>>,
}

/// The catalogue, read once.
pub(super) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("published.tsv")));

impl Catalogue {
    /// The packages of a stream.
    pub(super) fn stream(&self, stream: &str) -> impl Iterator<Item = &Published> {
        self.published.iter().filter(move |published| published.stream == stream)
    }

    /// Packages about which nothing is known.
    pub(super) fn fillers(&self, ecosystem: Ecosystem) -> &[FleetPackage] {
        self.fillers.get(&ecosystem).map_or(&[], Vec::as_slice)
    }

    /// What is known under this name in a stream, and which of its versions this one is.
    pub(super) fn find(&self, stream: &str, package: &FleetPackage) -> Option<(&Published, usize)> {
        let found = self.stream(stream).find(|published| published.name == package.name)?;
        let version = found.versions.iter().position(|version| *version == package.version)?;
        Some((found, version))
    }
}

fn packaging(stream: &str) -> Ecosystem {
    match stream.split(':').next() {
        Some("Alpine" | "apk") => Ecosystem::Apk,
        Some("PyPI") => Ecosystem::PyPi,
        Some("npm") => Ecosystem::Npm,
        _ => Ecosystem::Deb,
    }
}

/// The file is our own, and a test reads it: a row that makes no sense is left out.
fn read(text: &'static str) -> Catalogue {
    let mut catalogue = Catalogue { published: Vec::new(), fillers: HashMap::new() };
    for line in text.lines() {
        let columns: Vec<&'static str> = line.split('\t').collect();
        match (columns.as_slice(), catalogue.published.last_mut()) {
            (&["package", stream, source, name, versions], _) => {
                let versions = versions.split(' ').collect();
                catalogue.published.push(Published { stream, source, name, versions, advisories: Vec::new() });
            }
            (&["advisory", id, cve, fixed, vector], Some(package)) => {
                let Some(fixed) = package.versions.iter().position(|version| *version == fixed) else { continue };
                // Every fifth is news of the second night.
                let night = if super::seed::number(id).is_multiple_of(5) { 2 } else { 1 };
                package.advisories.push(Fact { id, cve, fixed, vector, night });
            }
            (&["filler", stream, name, version], _) => {
                let ecosystem = packaging(stream);
                let filler = FleetPackage { ecosystem, name, version, source: name };
                catalogue.fillers.entry(ecosystem).or_default().push(filler);
            }
            _ => {}
        }
    }
    catalogue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_understood() {
        let text = include_str!("published.tsv");
        let rows = text.lines().filter(|line| !line.starts_with('#')).count();
        let advisories: usize = CATALOGUE.published.iter().map(|package| package.advisories.len()).sum();
        let fillers: usize = CATALOGUE.fillers.values().map(Vec::len).sum();
        assert_eq!(CATALOGUE.published.len() + advisories + fillers, rows);
        assert!(advisories > 400 && fillers > 80, "{advisories} advisories, {fillers} fillers");
        assert!(CATALOGUE.published.iter().all(|package| package.versions.len() > 1));
    }
}
