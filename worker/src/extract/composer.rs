//! PHP: Composer's record of what it installed, `vendor/composer/installed.json`.

mod installed;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use self::installed::{Entry, Installed};
use super::{ClaimedFile, Content, Extractor, licence};

/// Packages that `composer show` lists, in the form of Composer 1 (a list) and of Composer 2 (an object with one)
/// (<https://github.com/composer/composer/blob/main/src/Composer/Repository/FilesystemRepository.php>).
///
/// The directory above is the `vendor-dir` of the project, which may have any name. What a package replaces or provides
/// is part of it and no package; a metapackage has no files, but is listed.
pub(crate) static PHP_COMPOSER: Extractor = Extractor {
    name: "php-composer",
    version: 2,
    claims: |path| path.ends_with(b"/installed.json") && split(split(path).0).1 == b"composer",
    // About 5 KiB for a package.
    content: Content::Whole(32 << 20),
    companions: &[],
    yields: &[Ecosystem::Composer],
    form: "`vendor/composer/installed.json`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let content = file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content);
    let malformed = |reason: String| file.gap(GapKind::Malformed, reason);
    let Installed(entries) = match serde_json::from_slice(content) {
        Ok(installed) => installed,
        Err(error) => {
            return Facts { gaps: vec![malformed(format!("installed.json: {error}"))], ..Facts::default() };
        }
    };
    let (packages, invalid): (Vec<_>, Vec<_>) = entries.iter().map(package).partition(Option::is_some);
    let mut packages: Vec<Package> = packages.into_iter().flatten().collect();
    packages.sort_unstable();
    packages.dedup();
    let gaps = match invalid.len() {
        0 => Vec::new(),
        count => vec![malformed(format!("installed.json with {count} packages without a valid name and version"))],
    };
    Facts { packages, gaps, ..Facts::default() }
}

fn package(entry: &Entry<'_>) -> Option<Package> {
    let (name, version) = (entry.name.as_deref()?, entry.version.as_deref()?);
    if !is_name(name) || !is_version(version) {
        return None;
    }
    // Composer keeps every package under its name in small letters.
    let mut package = Package::new(Ecosystem::Composer, name.to_ascii_lowercase(), version);
    package.licence = entry.licence.as_deref().and_then(licence::declared);
    package.registry = registry(entry).map(str::to_owned);
    Some(package)
}

/// Where a package came from, if it is certain that it was not Packagist or a mirror of it.
///
/// A directory of the project says so itself. A repository in version control is told by having neither an archive nor
/// an address to which installations are reported; a fork on a well-known host has an archive, and cannot be told from
/// what a mirror gave out.
fn registry(entry: &Entry<'_>) -> Option<&'static str> {
    match (entry.dist.as_deref(), entry.source.as_deref()) {
        (Some("path"), _) => Some("local"),
        (None, Some("git" | "hg" | "svn" | "fossil" | "perforce")) if !entry.reports_installations => Some("git"),
        _ => None,
    }
}

/// `vendor/name`, of visible characters (<https://getcomposer.org/doc/04-schema.md#name>).
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    name.len() <= 256 && name.split_once('/').is_some_and(|(vendor, name)| is_part(vendor) && is_part(name))
}

fn is_version(version: &str) -> bool {
    !version.is_empty() && version.len() <= 256 && !version.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
