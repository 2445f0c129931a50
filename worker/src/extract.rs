//! Extractors: each turns one claimed file into facts. To add one, add a file beside this one and a line in [`EXTRACTORS`].

use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::path::LayerPath;

mod apk;
mod control;
mod dpkg;
#[cfg(test)]
pub(crate) mod golden;
mod kernel;
mod licence;
mod npm;
mod os_release;
mod python;
mod recognised;
mod rpm;

/// Every extractor. Where two claim one path the first has it. Evidence names them, and the fingerprint of an inventory
/// holds their names and versions.
pub static EXTRACTORS: &[&Extractor] = &[
    &os_release::OS_RELEASE,
    &apk::APK,
    &dpkg::STATUS,
    &dpkg::STATUS_D,
    &dpkg::FILE_LIST,
    &dpkg::CHECKSUMS,
    &rpm::SQLITE,
    &rpm::NDB,
    &rpm::BERKELEY_DB,
    &rpm::MANIFEST,
    &kernel::KERNEL,
    &npm::NPM,
    &python::PYTHON,
    &recognised::CONDA,
    &recognised::DOTNET_DEPS,
    &recognised::JAVA_ARCHIVE,
    &recognised::PACMAN,
    &recognised::PHP_COMPOSER,
    &recognised::R_PACKAGE,
    &recognised::RUBY_GEM,
];

/// How one file format is recognised and read.
pub struct Extractor {
    /// Its name, `kebab-case`; part of the evidence.
    pub name: &'static str,
    /// Raised with every change of what it yields; cached inventories of another version are not used.
    pub version: u32,
    /// Whether it wants the file at this path. Called for every entry of every layer: it compares bytes, nothing more.
    pub claims: fn(path: &[u8]) -> bool,
    /// How much of the file it needs.
    pub content: Content,
    /// File names in the same directory and layer that it wants to see too, such as a write-ahead log.
    pub companions: &'static [&'static str],
    /// What the file yields. Cannot fail: what it does not understand becomes a gap. Sees no image, clock or network,
    /// and must neither panic nor use memory out of proportion to the file, whatever the bytes are.
    pub extract: fn(file: &ClaimedFile<'_>) -> Facts,
}

/// How much of a claimed file an extractor needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing: the path says it all.
    NameOnly,
    /// All of it, up to so many bytes; a larger file is not read, and leaves a gap.
    Whole(u64),
}

/// A file that an extractor claimed, whole in memory.
pub struct ClaimedFile<'a> {
    /// Where it is.
    pub path: &'a LayerPath,
    /// Its bytes.
    pub content: &'a [u8],
    /// The companions that the layer has: file name and bytes.
    pub companions: &'a [(&'a str, &'a [u8])],
}

impl ClaimedFile<'_> {
    /// The companion of this name, if the layer has it.
    pub fn companion(&self, name: &str) -> Option<&[u8]> {
        self.companions.iter().find(|(found, _)| *found == name).map(|&(_, content)| content)
    }

    /// A gap about this file.
    pub fn gap(&self, kind: GapKind, reason: impl Into<String>) -> Gap {
        Gap { kind, path: self.path.clone(), reason: reason.into() }
    }
}

/// The extractor that claims `path`.
pub fn claim(path: &[u8]) -> Option<&'static Extractor> {
    EXTRACTORS.iter().copied().find(|extractor| (extractor.claims)(path))
}

/// Whether any extractor claims `path` by its name.
pub fn is_claimed(path: &[u8]) -> bool {
    claim(path).is_some()
}
