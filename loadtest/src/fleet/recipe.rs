//! What a layer does: operations, from which both its tar and the expected result follow.

use lazaret::ecosystem::Ecosystem;

use super::published::FleetPackage;

/// Where the base's Python looks for distributions.
pub(super) const SITE: &str = "usr/local/lib/python3.9/site-packages";
/// Where the application's Node packages are.
pub(super) const NODE: &str = "app/node_modules";

/// One thing that a layer does to the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// `etc/os-release` is written.
    OsRelease(&'static str),
    /// The database of the distribution's packages is written, whole, as package managers do.
    Database(Vec<FleetPackage>),
    /// A Python distribution or a Node package is installed at its place.
    Install(FleetPackage),
    /// The directory of a package of a lower layer is deleted.
    Remove(String),
    /// Everything that lower layers have below this directory is hidden.
    Opaque(&'static str),
}

/// A layer before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    /// The instruction that is said to have made it.
    pub(super) created_by: String,
    /// What it does.
    pub(super) operations: Vec<Operation>,
    /// Bytes of files without packages.
    pub(super) payload: u64,
    /// What the files without packages are drawn from, and where they lie.
    pub(super) number: u64,
}

/// The directory that a package is installed in.
pub(super) fn place(package: &FleetPackage) -> String {
    match package.ecosystem {
        Ecosystem::Npm => format!("{NODE}/{}", package.name),
        _ => format!("{SITE}/{}-{}.dist-info", package.name, package.version),
    }
}
