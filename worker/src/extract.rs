//! Extractors: each turns one claimed file into facts. To add one, add a file beside this one and a line in [`EXTRACTORS`].

use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::path::LayerPath;

#[cfg(test)]
pub(crate) mod golden;
mod licence;
mod npm;
mod python;
mod recognised;

/// Every extractor, by name. Evidence names them, and the fingerprint of an inventory holds their names and versions.
pub static EXTRACTORS: &[Extractor] = &[
    recognised::CONDA,
    recognised::DOTNET_DEPS,
    recognised::JAVA_ARCHIVE,
    npm::NPM,
    recognised::PACMAN,
    recognised::PHP_COMPOSER,
    python::PYTHON,
    recognised::R_PACKAGE,
    recognised::RUBY_GEM,
];

/// [`Extractor::max_bytes`] of an extractor that tells by the name alone: its files are not read, whatever their size,
/// leave no gap for it, and reach `extract` without content.
pub const BY_NAME: u64 = 0;

/// How one file format is recognised and read.
pub struct Extractor {
    /// Its name, `kebab-case`; part of the evidence.
    pub name: &'static str,
    /// Raised with every change of what it yields; cached inventories of another version are not used.
    pub version: u32,
    /// Whether it wants the file at this path. Called for every entry of every layer: it compares bytes, nothing more.
    pub claims: fn(path: &[u8]) -> bool,
    /// Files larger than this are not read, and leave a gap; [`BY_NAME`] where none is wanted.
    pub max_bytes: u64,
    /// File names in the same directory and layer that it wants to see too, such as a write-ahead log.
    pub companions: &'static [&'static str],
    /// What the file yields. Cannot fail: what it does not understand becomes a gap. Sees no image, clock or network,
    /// and must neither panic nor use memory out of proportion to the file, whatever the bytes are.
    pub extract: fn(file: &ClaimedFile<'_>) -> Facts,
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
