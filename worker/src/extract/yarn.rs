//! Packages that Yarn keeps zipped and runs from there (Plug'n'Play).

mod zip;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::path::{LayerPath, split};

use super::plain::malformed;
use super::{ClaimedFile, Content, Extractor, npm};

/// `.yarn/cache/SLUG-HASH-CHECKSUM.zip`, and the same in the cache that projects share, `.yarn/berry/cache` (yarnpkg.com,
/// "Cache strategies"). Each archive holds one package below `node_modules/`; its own `package.json` says which. The slug
/// says only whether it came from a registry: in it `@a-b-c` may be `@a/b-c` or `@a-b/c`.
pub(super) static YARN_CACHE: Extractor = Extractor {
    name: "yarn-cache",
    version: 1,
    claims: |path| path.ends_with(b".zip") && is_in_cache(split(path).0),
    content: Content::Whole(256 << 20),
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "Yarn's cache",
    extract,
};

/// What a `package.json` is read to, unpacked.
const MAX_MANIFEST: usize = 8 << 20;

fn is_in_cache(directory: &[u8]) -> bool {
    let (above, name) = split(directory);
    let (beyond, parent) = split(above);
    name == b"cache" && (parent == b".yarn" || parent == b"berry" && split(beyond).1 == b".yarn")
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let entry = match zip::find(file.content, is_manifest) {
        Ok(Some(entry)) => entry,
        Ok(None) => return malformed(file, "a zipped package without a package.json"),
        Err(reason) => return malformed(file, format!("a zipped package: {reason}")),
    };
    let manifest = match entry.unpacked(MAX_MANIFEST) {
        Ok(manifest) => manifest,
        Err(zip::Flaw::TooLarge) => {
            let gap = file.gap(GapKind::Limit, "its package.json is larger than is read of such a file");
            return Facts { gaps: vec![gap], ..Facts::default() };
        }
        Err(zip::Flaw::Malformed(reason)) => return malformed(file, format!("a zipped package: {reason}")),
    };
    let inside = LayerPath::from_entry(entry.name);
    let mut facts = (npm::NPM.extract)(&ClaimedFile { path: &inside, content: &manifest, companions: &[] });
    for gap in &mut facts.gaps {
        gap.path = file.path.clone();
    }
    for package in &mut facts.packages {
        package.registry = registry(file.path.file_name()).map(str::to_owned);
    }
    facts
}

/// `node_modules/NAME/package.json` or `node_modules/@SCOPE/NAME/package.json`, and none deeper.
fn is_manifest(name: &[u8]) -> bool {
    let directories = name.iter().filter(|&&b| b == b'/').count();
    name.starts_with(b"node_modules/") && directories <= 3 && (npm::NPM.claims)(name)
}

/// Where it came from, if not from a registry of npm's kind: what stands before the hash in the name (yarnpkg's
/// `slugifyLocator`). Yarn patches a few packages of the registry, which are still what they were. Behind a web address may be
/// the registry's archive as well as a repository; that is taken for the former, so that no advisory is passed over.
fn registry(name: &[u8]) -> Option<&'static str> {
    let has = |protocol: &[u8]| memchr::memmem::find(name, protocol).is_some();
    let is_public = [&b"-npm-"[..], b"-patch-", b"-https-", b"-http-"].into_iter().any(has);
    let is_local = || [&b"-file-"[..], b"-portal-", b"-link-"].into_iter().any(has);
    if is_public { None } else { Some(if is_local() { "local" } else { "git" }) }
}

#[cfg(test)]
mod tests;
