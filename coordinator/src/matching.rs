//! Matching: packages, distribution and advisories in; findings, and what could not be told, out.

pub mod coverage;
pub mod distro;
mod finding;
pub mod identity;
mod join;
mod lookup;
pub mod range;
pub mod severity;

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

use crate::advisory::{Snapshot, SnapshotError};
use crate::version::Scheme;
pub use coverage::{Coverage, DistroCoverage};
pub use finding::Finding;
pub use severity::{Level, Severity};

/// What matching found, and what it could not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// One for each package and vulnerability, by package and then by id.
    pub findings: Vec<Finding>,
    /// Packages for which advisories could not be decided, by package.
    pub undecided: Vec<Undecided>,
    /// For which packages there were advisories at all.
    pub coverage: Coverage,
}

/// A package with a version, or an advisory with one, that does not follow its scheme: a gap, never "not affected".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The index of the package.
    pub package: usize,
    /// Why, for people.
    pub reason: String,
    /// The advisories that stay open, sorted.
    pub advisories: Vec<String>,
}

/// Matches `packages` of one image, whose top os-release file is `os`, against `snapshot`.
///
/// Indices in the result are those of `packages`.
///
/// # Errors
/// [`SnapshotError::Damaged`].
pub fn find(packages: &[&Package], os: Option<&OsRelease>, snapshot: &Snapshot) -> Result<Matches, SnapshotError> {
    let sources = lookup::Sources::new(os, snapshot);
    let mut matches = Matches { coverage: coverage::of(packages, os, snapshot), ..Matches::default() };
    for (index, package) in packages.iter().enumerate() {
        let found = lookup::find(package, &sources, snapshot)?;
        if let Some((reason, _)) = found.undecided.first() {
            let reason = reason.clone();
            let mut advisories: Vec<String> = found.undecided.into_iter().map(|(_, id)| id).collect();
            advisories.sort_unstable();
            advisories.dedup();
            matches.undecided.push(Undecided { package: index, reason, advisories });
        }
        let first = matches.findings.len();
        for row in join::rows(found.records) {
            matches.findings.push(finding::finding(index, package.ecosystem.is_os(), &row, snapshot)?);
        }
        if let Some(new) = matches.findings.get_mut(first..) {
            new.sort_by(|a, b| (&a.id, &a.ids).cmp(&(&b.id, &b.ids)));
        }
    }
    Ok(matches)
}

/// The order of versions in an ecosystem, named without its release suffix (`Debian`, `PyPI`); `None` where we know none.
pub fn scheme(base: &str) -> Option<Scheme> {
    let language = Ecosystem::ALL.into_iter().filter_map(lookup::language).find(|(name, _)| *name == base);
    language.map(|(_, scheme)| scheme).or_else(|| distro::scheme(base))
}

#[cfg(test)]
mod tests;
