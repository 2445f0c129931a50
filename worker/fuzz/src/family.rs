//! Which extractors are fuzzed together: those that read alike forms.

use lazaret_worker::extract::{Extractor, claim};

/// A family of extractors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Text of operating systems' package managers.
    OsDatabases,
    /// SQLite and the like, and compressed manifests.
    BinaryDatabases,
    /// Files that packages of languages come with.
    LanguageMetadata,
    /// Zip archives and what else Java has.
    Java,
    /// Declared packages.
    Lockfiles,
    /// Documents about what is installed.
    Sbom,
}

impl Family {
    /// The extractor that claims `path`, if it is one of the family.
    pub fn claim(self, path: &[u8]) -> Option<&'static Extractor> {
        claim(path).filter(|extractor| Self::of(extractor.name) == self)
    }

    /// The family of the extractor of this name; one that is not named here reads a language's metadata.
    fn of(name: &str) -> Self {
        match name {
            "rpm-sqlite" | "rpm-ndb" | "rpm-bdb" | "nix-database" | "conan-cache" | "chisel" | "lock-bun-binary" => {
                Self::BinaryDatabases
            }
            "java-archive" | "maven-descriptor" | "java-release" | "yarn-cache" => Self::Java,
            "os-release" | "apk-installed" | "rpm-manifest" | "nix-store" | "homebrew" | "flatpak" | "linux-kernel"
            | "bitnami-components" => Self::OsDatabases,
            _ if name.starts_with("lock-") => Self::Lockfiles,
            _ if name.starts_with("sbom") => Self::Sbom,
            _ if ["dpkg-", "alpm-", "opkg-", "portage-", "snap"].iter().any(|start| name.starts_with(start)) => {
                Self::OsDatabases
            }
            _ => Self::LanguageMetadata,
        }
    }

    /// Bytes of memory that reading `bytes` of a file may take: some for each byte, and what a compressed one may hold.
    pub(crate) fn memory(self, bytes: usize) -> usize {
        let compressed = if matches!(self, Self::BinaryDatabases | Self::Java) { 128 << 20 } else { 1 << 20 };
        400 * bytes + compressed
    }
}
