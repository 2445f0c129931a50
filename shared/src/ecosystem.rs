//! Package ecosystems: who installed a package, and so how its name and version are to be read.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The packaging system a package belongs to, named by its package URL type
/// (<https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst>; `brew`, `ebuild`, `flatpak`, `nix`, `opkg` and `snap`
/// are not registered there, but what other tools write).
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
    /// pacman: Arch and its descendants.
    Alpm,
    /// Portage: Gentoo.
    Ebuild,
    /// opkg: OpenWrt and Yocto.
    Opkg,
    /// Python distributions.
    PyPi,
    /// Node packages.
    Npm,
    /// Rust crates.
    Cargo,
    /// Go modules, with the standard library as `stdlib`.
    Golang,
    /// Java archives, named `group:artifact`.
    Maven,
    /// .NET packages.
    NuGet,
    /// Ruby gems.
    Gem,
    /// PHP packages, named `vendor/name`.
    Composer,
    /// Perl distributions.
    Cpan,
    /// R packages.
    Cran,
    /// Lua rocks.
    LuaRocks,
    /// Haskell packages.
    Hackage,
    /// OCaml packages.
    Opam,
    /// Erlang and Elixir packages.
    Hex,
    /// Dart packages.
    Pub,
    /// Swift packages, named by the place of their repository.
    Swift,
    /// Swift's and Objective-C's pods.
    CocoaPods,
    /// Julia packages.
    Julia,
    /// C and C++ packages of Conan.
    Conan,
    /// conda packages.
    Conda,
    /// Homebrew's formulae.
    Brew,
    /// Paths of a Nix store.
    Nix,
    /// Snaps.
    Snap,
    /// Flatpaks.
    Flatpak,
    /// Components of Bitnami's images.
    Bitnami,
    /// Software that no package manager installed: language runtimes, servers, kernels.
    Generic,
}

impl Ecosystem {
    /// Every ecosystem, in the order in which reports list them.
    pub const ALL: [Self; 32] = [
        Self::Apk,
        Self::Deb,
        Self::Rpm,
        Self::Alpm,
        Self::Ebuild,
        Self::Opkg,
        Self::PyPi,
        Self::Npm,
        Self::Cargo,
        Self::Golang,
        Self::Maven,
        Self::NuGet,
        Self::Gem,
        Self::Composer,
        Self::Cpan,
        Self::Cran,
        Self::LuaRocks,
        Self::Hackage,
        Self::Opam,
        Self::Hex,
        Self::Pub,
        Self::Swift,
        Self::CocoaPods,
        Self::Julia,
        Self::Conan,
        Self::Conda,
        Self::Brew,
        Self::Nix,
        Self::Snap,
        Self::Flatpak,
        Self::Bitnami,
        Self::Generic,
    ];

    /// The package URL type, which is also the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Alpm => "alpm",
            Self::Ebuild => "ebuild",
            Self::Opkg => "opkg",
            Self::PyPi => "pypi",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Golang => "golang",
            Self::Maven => "maven",
            Self::NuGet => "nuget",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Cpan => "cpan",
            Self::Cran => "cran",
            Self::LuaRocks => "luarocks",
            Self::Hackage => "hackage",
            Self::Opam => "opam",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Swift => "swift",
            Self::CocoaPods => "cocoapods",
            Self::Julia => "julia",
            Self::Conan => "conan",
            Self::Conda => "conda",
            Self::Brew => "brew",
            Self::Nix => "nix",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Bitnami => "bitnami",
            Self::Generic => "generic",
        }
    }

    /// Whether its packages belong to the distribution, so that advisories depend on the release of it.
    pub const fn is_os(self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm | Self::Alpm | Self::Ebuild | Self::Opkg)
    }
}
