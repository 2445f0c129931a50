//! Extractors: each turns one claimed file into facts. To add one, add a file beside this one and a line in [`EXTRACTORS`].

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::path::LayerPath;

use crate::executable::pe::may_be_assembly;
use crate::signature;

mod alpm;
mod apk;
mod bitnami;
mod chisel;
mod composer;
mod conan;
mod conda;
mod control;
mod cpan;
pub(crate) mod dotnet;
mod dpkg;
mod erlang;
mod flatpak;
mod gem;
#[cfg(test)]
pub(crate) mod golden;
mod haskell;
mod homebrew;
mod java;
mod java_release;
mod julia;
mod kernel;
mod kernel_module;
mod licence;
mod lock;
mod luarocks;
mod nix;
mod npm;
mod opam;
mod opkg;
mod os_release;
pub(crate) mod owned;
mod perl_local;
mod plain;
mod portage;
mod pub_cache;
mod python;
mod python_egg;
mod python_record;
mod r_package;
mod rpm;
mod runtime;
mod sbom;
mod snap;
mod swift;
#[cfg(test)]
mod twins;
pub(crate) mod word;
mod wordpress;
mod yarn;
mod zip;

#[cfg(test)]
pub(crate) use rpm::tests::samples as rpm_samples;

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
    &alpm::DESC,
    &alpm::FILES,
    &opkg::STATUS,
    &opkg::CONTROL,
    &opkg::FILE_LIST,
    &portage::CONTENTS,
    &portage::LICENCE,
    &chisel::CHISEL,
    &nix::DATABASE,
    &nix::STORE,
    &conda::CONDA,
    &homebrew::HOMEBREW,
    &snap::SNAP,
    &snap::MANIFEST,
    &flatpak::FLATPAK,
    &bitnami::COMPONENTS,
    &sbom::INSTALLED,
    &kernel::KERNEL,
    &kernel_module::KERNEL_MODULES,
    &kernel_module::KERNEL_MODULE,
    &npm::NPM,
    &yarn::YARN_CACHE,
    &python::PYTHON,
    &python_record::RECORD,
    &python_egg::EGG,
    &java::ARCHIVE,
    &java::DESCRIPTOR,
    &dotnet::DOTNET_DEPS,
    &composer::PHP_COMPOSER,
    &gem::RUBY_GEM,
    &java_release::JAVA_RELEASE,
    &runtime::ERLANG_OTP,
    &runtime::ERLANG_PRODUCT,
    &runtime::GO_DISTRIBUTION,
    &wordpress::CORE,
    &wordpress::PLUGIN,
    &wordpress::THEME,
    &r_package::R_PACKAGE,
    &cpan::CPAN,
    &perl_local::PERL_LOCAL,
    &perl_local::PACKLIST,
    &luarocks::LUAROCKS,
    &haskell::GHC_PACKAGE,
    &opam::OPAM,
    &erlang::OTP_APPLICATION,
    &erlang::HEX_METADATA,
    &pub_cache::PUB_CACHE,
    &swift::SWIFT,
    &julia::JULIA,
    &conan::CONAN,
    &conan::CONAN_CACHE,
    &lock::bun::BUN,
    &lock::bun::BUN_BINARY,
    &lock::bundler::BUNDLER,
    &lock::cabal::CABAL,
    &lock::cargo::CARGO,
    &lock::cocoapods::COCOAPODS,
    &lock::composer::COMPOSER,
    &lock::conan::CONAN,
    &lock::conan::CONANFILE,
    &lock::conda::CONDA,
    &lock::cpan::CPAN,
    &lock::deno::DENO,
    &lock::go::GO,
    &lock::gradle::GRADLE,
    &lock::julia::JULIA,
    &lock::luarocks::LUAROCKS,
    &lock::maven::MAVEN,
    &lock::mix::MIX,
    &lock::npm::NPM,
    &lock::nuget::NUGET,
    &lock::nuget::NUGET_ASSETS,
    &lock::nuget_project::NUGET_PROJECT,
    &lock::nuget_project::NUGET_CONFIG,
    &lock::opam::OPAM,
    &lock::pdm::PDM,
    &lock::pipenv::PIPENV,
    &lock::pnpm::PNPM,
    &lock::poetry::POETRY,
    &lock::pubspec::PUBSPEC,
    &lock::pylock::PYLOCK,
    &lock::rebar::REBAR,
    &lock::renv::RENV,
    &lock::requirements::REQUIREMENTS,
    &lock::sbt::SBT,
    &lock::stack::STACK,
    &lock::swift::SWIFT,
    &lock::uv::UV,
    &lock::yarn::YARN,
    &sbom::DECLARED,
    &sbom::XML,
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
    /// The ecosystems whose packages it finds; none where it only adds to what others found, or where any may be in there.
    pub yields: &'static [Ecosystem],
    /// What it reads, in Markdown and a few words, for the README's table; empty where it finds no packages itself.
    pub form: &'static str,
    /// What the file yields. Cannot fail: what it does not understand becomes a gap. Sees no image, clock or network,
    /// and must neither panic nor use memory out of proportion to the file, whatever the bytes are.
    pub extract: fn(file: &ClaimedFile<'_>) -> Facts,
}

/// How much of a claimed file an extractor needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing: the path says it all.
    NameOnly,
    /// Nothing, and it claims directories, never files: what a directory is called says it all.
    Directory,
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

/// Whether `path` may have packages by its name: any extractor claims it, or, if it is an executable, a signature
/// may match it, or it may be an assembly of .NET.
/// Of such files it is remembered which OS package owns them.
pub fn is_claimed(path: &[u8]) -> bool {
    claim(path).is_some() || signature::is_known(path) || may_be_assembly(path)
}
