//! A layer's recipe written as a gzipped tar, the same bytes every time.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use bytes::Bytes;
use lazaret::digest::Digest;
use lazaret::ecosystem::Ecosystem;

use super::published::FleetPackage;
use super::recipe::{NODE, Operation, Recipe, SITE, place};
use super::seed::Chance;
use super::size;
use crate::tar::Tar;

/// What a manifest and a configuration say of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerFacts {
    /// The digest of the blob.
    pub digest: Digest,
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// Bytes of the uncompressed tar.
    pub uncompressed: u64,
}

/// Writes the layer; `level` is gzip's.
///
/// # Errors
/// None in practice: it is written to memory.
pub(super) fn write(recipe: &Recipe, seed: u64, level: u32) -> io::Result<(LayerFacts, Bytes)> {
    let tar = tar(recipe, seed);
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(tar.len() / 2), flate2::Compression::new(level.min(9)));
    encoder.write_all(&tar)?;
    let blob = encoder.finish()?;
    let facts = LayerFacts {
        digest: Digest::of(&blob),
        diff_id: Digest::of(&tar),
        size: blob.len() as u64,
        uncompressed: tar.len() as u64,
    };
    Ok((facts, blob.into()))
}

fn tar(recipe: &Recipe, seed: u64) -> Vec<u8> {
    let mut tar = Tar::default();
    let uses = |ecosystem| {
        recipe.operations.iter().any(|operation| matches!(operation, Operation::Install(p) if p.ecosystem == ecosystem))
    };
    for (directory, used) in [(SITE, uses(Ecosystem::PyPi)), (NODE, uses(Ecosystem::Npm))] {
        if used {
            tar = tar.directory(directory);
        }
    }
    for operation in &recipe.operations {
        tar = match operation {
            Operation::OsRelease(text) => tar.directory("etc").file("etc/os-release", text),
            Operation::Database(packages) => database(tar, packages),
            Operation::Install(package) => install(tar, package),
            Operation::Remove(directory) => tar.whiteout(directory),
            Operation::Opaque(directory) => tar.file(&format!("{directory}/.wh..wh..opq"), ""),
        };
    }
    payload(tar, recipe, seed).finish()
}

fn database(tar: Tar, packages: &[FleetPackage]) -> Tar {
    let mut text = String::with_capacity(packages.len() * 128);
    let is_apk = packages.first().is_some_and(|package| package.ecosystem == Ecosystem::Apk);
    for FleetPackage { name, version, source, .. } in packages {
        // Writing to a string never fails.
        let _ = if is_apk {
            writeln!(text, "P:{name}\nV:{version}\nA:x86_64\no:{source}\n")
        } else {
            let head = "Status: install ok installed\nArchitecture: amd64\n";
            writeln!(text, "Package: {name}\n{head}Source: {source}\nVersion: {version}\n")
        };
    }
    if is_apk {
        tar.directory("lib/apk/db").file("lib/apk/db/installed", &text)
    } else {
        tar.directory("var/lib/dpkg").file("var/lib/dpkg/status", &text)
    }
}

fn install(tar: Tar, package: &FleetPackage) -> Tar {
    let directory = place(package);
    let FleetPackage { name, version, .. } = package;
    // A scope is a directory too.
    let tar = match name.split_once('/') {
        Some((scope, _)) => tar.one_directory(&format!("{NODE}/{scope}")),
        None => tar,
    };
    let tar = tar.one_directory(&directory);
    if package.ecosystem == Ecosystem::Npm {
        let text = format!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"license\":\"MIT\"}}\n");
        tar.file(&format!("{directory}/package.json"), &text)
    } else {
        let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
        tar.file(&format!("{directory}/METADATA"), &text)
    }
}

/// Files without packages.
fn payload(mut tar: Tar, recipe: &Recipe, seed: u64) -> Tar {
    if recipe.payload == 0 {
        return tar;
    }
    let directory = format!("usr/share/{:016x}", recipe.number);
    tar = tar.directory(&directory);
    let mut chance = Chance::of(seed, &[recipe.number]);
    let mut content = Vec::new();
    let mut left = recipe.payload;
    for number in 0_u32.. {
        if left == 0 {
            break;
        }
        let length = left.min(size::FILE / 4 + chance.below(size::FILE * 3 / 2));
        size::fill(&mut content, length as usize, &mut chance);
        tar = tar.file(&format!("{directory}/{number:06}.dat"), &content);
        left -= length;
    }
    tar
}
