//! Versions and their orders: one file per scheme, each exactly as the ecosystem's own tool orders them.

pub mod apk;
pub mod check;
pub mod composer;
pub mod cran;
pub mod dart;
pub mod deb;
pub mod gem;
pub mod hackage;
#[cfg(test)]
mod laws;
pub mod maven;
pub mod npm;
pub mod nuget;
mod number;
pub mod opam;
pub mod pep440;
pub mod rpm;
pub mod semver;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use lazaret::text::visible;

/// A version read by the rules of one scheme, ready to be compared with any number of others of that scheme.
///
/// It borrows the text and allocates nothing. There is no `Ord` here on purpose: two versions of different schemes have
/// no order, and `<` would hide that. Where the scheme is known in advance, the types inside are `Ord`.
#[derive(Clone, Copy, Debug)]
pub enum Version<'a> {
    /// Alpine and its kin.
    Apk(apk::Version<'a>),
    /// Debian and its kin.
    Deb(deb::Version<'a>),
    /// Everything that rpm installs.
    Rpm(rpm::Version<'a>),
    /// Python.
    Pep440(pep440::Version<'a>),
    /// npm.
    Npm(semver::Version<'a>),
    /// Strict semantic versions: crates.io, Go and all `SEMVER` ranges of OSV.
    Semver(semver::Version<'a>),
    /// Java.
    Maven(maven::Version<'a>),
    /// .NET.
    NuGet(nuget::Version<'a>),
    /// PHP.
    Composer(composer::Version<'a>),
    /// Ruby.
    Gem(gem::Version<'a>),
    /// R.
    Cran(cran::Version<'a>),
    /// Haskell.
    Hackage(hackage::Version<'a>),
    /// OCaml.
    Opam(opam::Version<'a>),
    /// Dart.
    Pub(dart::Version<'a>),
}

impl<'a> Version<'a> {
    /// Reads `text` in time proportional to its length.
    ///
    /// `0`, which OSV writes for "from the beginning", is a version like any other here (and none for npm): many a
    /// version sorts below it, so whoever reads ranges has to look for it first.
    ///
    /// # Errors
    /// [`VersionError::Unparsable`] where the scheme's own tool would refuse it.
    pub fn parse(scheme: Scheme, text: &'a str) -> Result<Self, VersionError> {
        match scheme {
            Scheme::Apk => apk::Version::parse(text).map(Self::Apk),
            Scheme::Deb => deb::Version::parse(text).map(Self::Deb),
            Scheme::Rpm => rpm::Version::parse(text).map(Self::Rpm),
            Scheme::Pep440 => pep440::Version::parse(text).map(Self::Pep440),
            Scheme::Npm => npm::parse(text).map(Self::Npm),
            Scheme::Semver => semver::Version::parse(text).map(Self::Semver),
            Scheme::Maven => maven::Version::parse(text).map(Self::Maven),
            Scheme::NuGet => nuget::Version::parse(text).map(Self::NuGet),
            Scheme::Composer => composer::Version::parse(text).map(Self::Composer),
            Scheme::Gem => gem::Version::parse(text).map(Self::Gem),
            Scheme::Cran => cran::Version::parse(text).map(Self::Cran),
            Scheme::Hackage => hackage::Version::parse(text).map(Self::Hackage),
            Scheme::Opam => opam::Version::parse(text).map(Self::Opam),
            Scheme::Pub => dart::Version::parse(text).map(Self::Pub),
        }
        .map_err(|reason| VersionError::Unparsable { scheme, version: shown(text), reason })
    }

    /// The scheme it was read by.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Apk(_) => Scheme::Apk,
            Self::Deb(_) => Scheme::Deb,
            Self::Rpm(_) => Scheme::Rpm,
            Self::Pep440(_) => Scheme::Pep440,
            Self::Npm(_) => Scheme::Npm,
            Self::Semver(_) => Scheme::Semver,
            Self::Maven(_) => Scheme::Maven,
            Self::NuGet(_) => Scheme::NuGet,
            Self::Composer(_) => Scheme::Composer,
            Self::Gem(_) => Scheme::Gem,
            Self::Cran(_) => Scheme::Cran,
            Self::Hackage(_) => Scheme::Hackage,
            Self::Opam(_) => Scheme::Opam,
            Self::Pub(_) => Scheme::Pub,
        }
    }

    /// How this version stands to `other`: a total order within each scheme ([Maven's](maven) apart), in time proportional to the shorter text
    /// and without allocation. Versions that are written differently may be equal.
    ///
    /// # Errors
    /// [`VersionError::Mixed`] if the two are of different schemes.
    pub fn compare(&self, other: &Version<'_>) -> Result<Ordering, VersionError> {
        match (self, other) {
            (Self::Apk(a), Version::Apk(b)) => Ok(a.cmp(b)),
            (Self::Deb(a), Version::Deb(b)) => Ok(a.cmp(b)),
            (Self::Rpm(a), Version::Rpm(b)) => Ok(a.cmp(b)),
            (Self::Pep440(a), Version::Pep440(b)) => Ok(a.cmp(b)),
            (Self::Maven(a), Version::Maven(b)) => Ok(a.cmp(b)),
            (Self::Npm(a), Version::Npm(b)) | (Self::Semver(a), Version::Semver(b)) => Ok(a.cmp(b)),
            (Self::NuGet(a), Version::NuGet(b)) => Ok(a.cmp(b)),
            (Self::Composer(a), Version::Composer(b)) => Ok(a.cmp(b)),
            (Self::Gem(a), Version::Gem(b)) => Ok(a.cmp(b)),
            (Self::Cran(a), Version::Cran(b)) => Ok(a.cmp(b)),
            (Self::Hackage(a), Version::Hackage(b)) => Ok(a.cmp(b)),
            (Self::Opam(a), Version::Opam(b)) => Ok(a.cmp(b)),
            (Self::Pub(a), Version::Pub(b)) => Ok(a.cmp(b)),
            _ => Err(VersionError::Mixed { left: self.scheme(), right: other.scheme() }),
        }
    }
}

/// How version `a` stands to version `b`.
///
/// # Errors
/// [`VersionError::Unparsable`] for the first of the two that `scheme` cannot read.
pub fn compare(scheme: Scheme, a: &str, b: &str) -> Result<Ordering, VersionError> {
    Version::parse(scheme, a)?.compare(&Version::parse(scheme, b)?)
}

/// Puts `versions` in order, the lowest first. Those that `scheme` cannot read stay about where they are.
///
/// Unlike the standard library's sort this never panics, where the order is none: [Maven's](maven), and any with unreadable
/// texts in between.
pub fn sort(scheme: Scheme, versions: &mut Vec<&str>) {
    let mut sorted: Vec<&str> = Vec::with_capacity(versions.len());
    for version in versions.drain(..) {
        let is_not_above = |other: &&str| compare(scheme, other, version).unwrap_or(Ordering::Equal).is_le();
        sorted.insert(sorted.partition_point(is_not_above), version);
    }
    *versions = sorted;
}

/// A set of rules by which versions are read and ordered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// apk-tools.
    Apk,
    /// dpkg.
    Deb,
    /// rpm.
    Rpm,
    /// PEP 440 (`packaging`).
    Pep440,
    /// node-semver, loose.
    Npm,
    /// Semantic Versioning 2.0.0.
    Semver,
    /// maven-artifact 3.9.
    Maven,
    /// NuGet.Versioning.
    NuGet,
    /// composer/semver.
    Composer,
    /// `Gem::Version`.
    Gem,
    /// R's `package_version`.
    Cran,
    /// Cabal.
    Hackage,
    /// opam.
    Opam,
    /// `pub_semver`.
    Pub,
}

impl Scheme {
    /// All schemes, in the order in which they are listed to people.
    pub const ALL: [Self; 14] = [
        Self::Apk,
        Self::Deb,
        Self::Rpm,
        Self::Pep440,
        Self::Npm,
        Self::Semver,
        Self::Maven,
        Self::NuGet,
        Self::Composer,
        Self::Gem,
        Self::Cran,
        Self::Hackage,
        Self::Opam,
        Self::Pub,
    ];

    /// The name that the command line and settings use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Pep440 => "pep440",
            Self::Npm => "npm",
            Self::Semver => "semver",
            Self::Maven => "maven",
            Self::NuGet => "nuget",
            Self::Composer => "composer",
            Self::Gem => "gem",
            Self::Cran => "cran",
            Self::Hackage => "hackage",
            Self::Opam => "opam",
            Self::Pub => "pub",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = VersionError;

    fn from_str(name: &str) -> Result<Self, VersionError> {
        let known = Self::ALL.into_iter().find(|scheme| scheme.name() == name);
        known.ok_or_else(|| VersionError::UnknownScheme(shown(name)))
    }
}

/// Why two versions have no order that we know. Texts in it are cut and safe to print.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VersionError {
    /// Not a version by the rules of the scheme.
    #[error("`{version}` is no {scheme} version: {reason}")]
    Unparsable {
        /// The rules it was read by.
        scheme: Scheme,
        /// The beginning of the text.
        version: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Versions of two schemes were compared, which is a mistake of the caller.
    #[error("a version of scheme {left} cannot be compared with one of scheme {right}")]
    Mixed {
        /// The scheme of the one.
        left: Scheme,
        /// The scheme of the other.
        right: Scheme,
    },
    /// Not the name of a scheme.
    #[error("`{0}` is no version scheme; there are {names}", names = Scheme::ALL.map(Scheme::name).join(", "))]
    UnknownScheme(String),
}

/// The first 64 characters of `text`, made visible.
fn shown(text: &str) -> String {
    const SHOWN: usize = 64;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", visible(text.split_at(end).0)),
        None => visible(text).into_owned(),
    }
}
