//! What a bill of materials lists, as far as it is kept.

use lazaret::package::Package;

use super::package::{Unread, package};

/// Packages that are kept of one document.
pub(super) const MAX_PACKAGES: usize = 100_000;

/// Packages, and counts of the entries that yielded none.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) packages: Vec<Package>,
    /// Entries with a package URL or a version that is none.
    pub(super) malformed: u64,
    /// Entries without a version.
    pub(super) without_version: u64,
    /// Entries beyond what is kept.
    pub(super) left_out: u64,
}

/// An entry of either format.
pub(super) struct Entry<'a> {
    pub(super) purl: &'a str,
    /// The version that stands beside the package URL, which may have none.
    pub(super) version: Option<&'a str>,
    pub(super) cpe: Option<&'a str>,
    pub(super) licence: Option<String>,
}

impl Found {
    pub(super) fn entry(&mut self, entry: Entry<'_>) {
        match package(&entry) {
            Ok(_) if self.packages.len() >= MAX_PACKAGES => self.left_out += 1,
            Ok(package) => self.packages.push(package),
            Err(Unread::Malformed) => self.malformed += 1,
            Err(Unread::WithoutVersion) => self.without_version += 1,
            // An image, a repository, an operating system: no package of ours.
            Err(Unread::OtherType) => {}
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        let room = MAX_PACKAGES.saturating_sub(self.packages.len());
        self.left_out += other.left_out + other.packages.len().saturating_sub(room) as u64;
        self.malformed += other.malformed;
        self.without_version += other.without_version;
        self.packages.extend(other.packages.into_iter().take(room));
    }
}
