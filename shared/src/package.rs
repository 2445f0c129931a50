//! A package: what was installed, in the words of its own package manager.

use bincode::{Decode, Encode};

use crate::ecosystem::Ecosystem;

/// One installed package, as its database or metadata file states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Package {
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// The name, whole and normalised where the ecosystem says how (PEP 503 for PyPI): `@scope/name`, `group:artifact`,
    /// `vendor/name`, a Go module's path.
    pub name: String,
    /// The version, whole: `[epoch:]upstream[-revision]` for deb, `[epoch:]version-release` for rpm with no epoch
    /// written where the header has none.
    pub version: String,
    /// The architecture, where the ecosystem records one.
    pub arch: Option<String>,
    /// What it was built from, where that has another name or version: dpkg `Source`, apk origin, rpm source package.
    pub source: Option<SourcePackage>,
    /// The licence as declared.
    pub licence: Option<String>,
    /// The rpm modularity label (`name:stream:version:context`), where there is one.
    pub module: Option<String>,
    /// Who built it (the rpm vendor), where the database says.
    pub vendor: Option<String>,
    /// Where it came from, if not from the ecosystem's public registry: `git`, `local`, `registry` (another one). Advisories
    /// are about what the public registry has under this name, so they say nothing about it.
    pub registry: Option<String>,
    /// The qualifiers of its package URL that no other field gives, sorted by key: `uuid` of a Julia package, `channel` of conda's.
    pub qualifiers: Vec<(String, String)>,
    /// The name under which NVD knows it (CPE 2.3), where nothing but that names it: software that no package manager installed.
    pub cpe: Option<String>,
    /// Where in the evidence it is, if that is an archive: the path of a nested jar.
    pub inside: Option<String>,
}

/// The source package that a binary package was built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version; the same as the binary package's unless the database says otherwise.
    pub version: String,
}

impl Package {
    /// A package of which only the name and the version are known.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            version: version.into(),
            arch: None,
            source: None,
            licence: None,
            module: None,
            vendor: None,
            registry: None,
            qualifiers: Vec::new(),
            cpe: None,
            inside: None,
        }
    }
}
