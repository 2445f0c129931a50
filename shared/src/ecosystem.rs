//! Package ecosystems: who installed a package, and so how its name and version are to be read.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The packaging system a package belongs to, named by its package URL type
/// (<https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Ecosystem {
    /// Alpine's apk, also Wolfi and Chainguard.
    Apk,
    /// dpkg: Debian, Ubuntu and their descendants.
    Deb,
    /// rpm: Red Hat, SUSE, Amazon, Azure Linux, Photon and theirs.
    Rpm,
    /// Python distributions.
    PyPi,
    /// Node packages.
    Npm,
    /// Rust crates.
    Cargo,
}

impl Ecosystem {
    /// Every ecosystem, in the order in which reports list them.
    pub const ALL: [Self; 6] = [Self::Apk, Self::Deb, Self::Rpm, Self::PyPi, Self::Npm, Self::Cargo];

    /// The package URL type, which is also the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::PyPi => "pypi",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
        }
    }

    /// Whether its packages belong to the distribution, so that advisories depend on the release of it.
    pub const fn is_os(self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm)
    }
}
