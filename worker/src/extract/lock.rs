//! Lockfiles and manifests: packages that are declared, and may or may not be installed. One file beside this for each
//! format; they are claimed by name, wherever they are.
//!
//! `Package::registry` says `git` or `local` where the file does. Another index than the public one is mostly a mirror of
//! it, and cannot be told from one: its packages are taken for the public ones, since an advisory too many is better than
//! one that is missed. Where mirrors are never written into the file (Cargo), another one is what it says: `registry`.

pub(super) mod bun;
pub(super) mod bundler;
pub(super) mod cabal;
pub(super) mod cargo;
pub(super) mod cocoapods;
pub(super) mod composer;
pub(super) mod conan;
pub(super) mod conda;
pub(super) mod cpan;
pub(super) mod deno;
mod found;
pub(super) mod go;
pub(super) mod gradle;
mod json;
pub(super) mod julia;
#[cfg(test)]
mod laws;
pub(super) mod luarocks;
pub(super) mod maven;
pub(super) mod mix;
pub(super) mod npm;
mod npm_source;
pub(super) mod nuget;
pub(super) mod nuget_project;
pub(super) mod opam;
pub(super) mod pdm;
pub(super) mod pipenv;
mod place;
pub(super) mod pnpm;
pub(super) mod poetry;
pub(super) mod pubspec;
pub(super) mod pylock;
mod pypi_source;
pub(super) mod rebar;
pub(super) mod renv;
pub(super) mod requirements;
pub(super) mod sbt;
pub(super) mod stack;
pub(super) mod swift;
mod term;
mod toml;
pub(super) mod uv;
mod xml;
mod yaml;
pub(super) mod yarn;

use super::{ClaimedFile, Content, Extractor};

/// Those of large monorepos reach some tens of megabytes.
const WHOLE: Content = Content::Whole(64 << 20);
