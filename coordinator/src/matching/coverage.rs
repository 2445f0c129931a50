//! What the advisories at hand cover of an image: a zero must say why it is zero.

use std::collections::{BTreeMap, BTreeSet};

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

use super::distro::{self, Wanted};
use super::lookup::language;
use crate::advisory::Snapshot;
use crate::version::Scheme;

/// What was covered and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The distribution.
    pub distro: DistroCoverage,
    /// The end of the stream's support, `YYYY-MM-DD` as os-release states it. Whether that is past is for those to say who
    /// have a clock.
    pub support_end: Option<String>,
    /// Packages that no advisory could have been about, by ecosystem: how many there are.
    pub uncovered: BTreeMap<Ecosystem, usize>,
}

/// Whether there are advisories for the distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DistroCoverage {
    /// No os-release file.
    #[default]
    None,
    /// Known, and the snapshot has these ecosystems of it, sorted.
    Covered(Vec<String>),
    /// Known, and the snapshot has none of these ecosystems (a `*` stands for any text); empty where nobody publishes
    /// advisories for this release.
    Uncovered(Vec<String>),
    /// Not known to us.
    Unknown,
}

/// The coverage of `packages` on `os` by `snapshot`.
pub(super) fn of(packages: &[&Package], os: Option<&OsRelease>, snapshot: &Snapshot) -> Coverage {
    let stream = os.and_then(distro::stream);
    let distro = match (os, &stream) {
        (None, _) => DistroCoverage::None,
        (Some(_), None) => DistroCoverage::Unknown,
        (Some(_), Some(stream)) => {
            let wanted = |name: &str| stream.ecosystems.iter().any(|wanted| wanted.matches(name));
            let names = snapshot.ecosystems().iter().filter(|info| info.advisories > 0 && wanted(&info.name));
            let found: Vec<String> = names.map(|info| info.name.clone()).collect();
            if found.is_empty() {
                DistroCoverage::Uncovered(stream.ecosystems.iter().map(Wanted::shown).collect())
            } else {
                DistroCoverage::Covered(found)
            }
        }
    };
    let covered = matches!(distro, DistroCoverage::Covered(_));
    let mut uncovered = BTreeMap::new();
    for package in packages {
        let is_covered = match language(package.ecosystem) {
            Some((name, _)) => snapshot.has_ecosystem(name),
            // The database of another packaging, such as an rpm database on Debian, has no advisories either.
            None => covered && stream.as_ref().is_some_and(|stream| stream.packaging == package.ecosystem),
        };
        if !is_covered {
            *uncovered.entry(package.ecosystem).or_default() += 1;
        }
    }
    let support_end = os.map(|os| os.support_end.clone()).filter(|date| !date.is_empty());
    Coverage { distro, support_end, uncovered }
}

/// The ecosystem in which packages of a language are looked up, as OSV names it; none for packages of distributions.
pub fn feed(ecosystem: Ecosystem) -> Option<&'static str> {
    language(ecosystem).map(|(name, _)| name)
}

/// Everybody whose advisories about packages of `ecosystem` are looked up, as OSV names them, without releases; sorted.
pub fn feeds(ecosystem: Ecosystem) -> Vec<&'static str> {
    language(ecosystem).map_or_else(|| distro::feeds(ecosystem), |(name, _)| vec![name])
}

/// How versions of `ecosystem` are compared; none where nobody's advisories are known.
pub fn scheme(ecosystem: Ecosystem) -> Option<Scheme> {
    language(ecosystem).map(|(_, scheme)| scheme).or_else(|| distro::scheme_of(ecosystem))
}

/// The names of the archives (`<base>/NAME/all.zip`) that hold everything about an image with these packages, sorted.
pub fn archives(packages: &[&Package], os: Option<&OsRelease>) -> BTreeSet<String> {
    let mut archives = BTreeSet::new();
    for package in packages {
        if let Some((name, _)) = language(package.ecosystem) {
            archives.insert(name.to_owned());
        }
    }
    if let Some(stream) = os.and_then(distro::stream)
        && packages.iter().any(|package| package.ecosystem == stream.packaging)
    {
        archives.extend(stream.ecosystems.iter().map(|wanted| wanted.base().to_owned()));
    }
    archives
}
