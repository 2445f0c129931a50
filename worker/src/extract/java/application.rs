//! Archives that no repository has: applications as a build packs them, and what builds write beside these.

use super::manifest::{Attribute, Manifest};

/// What the names of its entries say of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    boot: bool,
    gradle_wrapper: bool,
}

impl Traces {
    /// Takes the name of an entry in.
    pub(super) fn see(&mut self, name: &[u8]) {
        self.boot |= name.starts_with(b"BOOT-INF/");
        self.gradle_wrapper |= name.starts_with(b"org/gradle/wrapper/");
    }

    /// Whether it is an application that Spring Boot packed: with the libraries, and the classes that find these.
    pub(super) fn is_boot_application(self, manifest: &Manifest) -> bool {
        self.boot || manifest.get(Attribute::StartClass).is_some()
    }

    /// Whether nobody published an archive called `stem` that says nothing of itself, so that there is nothing to know of it;
    /// the libraries in it tell of themselves.
    pub(super) fn is_unpublished(self, stem: &str, manifest: &Manifest) -> bool {
        match stem {
            // Quarkus packs an application as a directory of these.
            "quarkus-run" | "generated-bytecode" | "transformed-bytecode" => true,
            // Gradle's, which projects keep, downloads Gradle.
            "gradle-wrapper" => self.gradle_wrapper,
            _ => self.is_boot_application(manifest),
        }
    }
}
