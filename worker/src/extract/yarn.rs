//! Packages that Yarn keeps zipped and runs from there (Plug'n'Play).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::package::Package;
use lazaret::path::{LayerPath, split};

use super::plain::malformed;
use super::{ClaimedFile, Content, Extractor, npm, zip};

/// `.yarn/cache/SLUG-HASH-CHECKSUM.zip`, and the same in the cache that projects share, `.yarn/berry/cache` (yarnpkg.com,
/// "Cache strategies"). Each archive holds one package below `node_modules/`, and in that what it bundles; their `package.json`
/// say which. The slug says only whether it came from a registry: in it `@a-b-c` may be `@a/b-c` or `@a-b/c`.
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
/// Packages that are read of one archive: many more than npm itself bundles.
const MAX_MANIFESTS: usize = 2000;
/// All of these together, unpacked, for each byte of the archive, and at most.
const RATIO: usize = 16;
const MAX_UNPACKED: usize = 512 << 20;

fn is_in_cache(directory: &[u8]) -> bool {
    let (above, name) = split(directory);
    let (beyond, parent) = split(above);
    name == b"cache" && (parent == b".yarn" || parent == b"berry" && split(beyond).1 == b".yarn")
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let entries = match zip::entries(file.content, is_manifest, MAX_MANIFESTS) {
        Ok(entries) => entries,
        Err(reason) => return malformed(file, format!("a zipped package: {reason}")),
    };
    let mut facts = Facts::default();
    let mut left = MAX_MANIFEST + file.content.len().saturating_mul(RATIO).min(MAX_UNPACKED);
    for entry in &entries {
        let most = MAX_MANIFEST.min(left);
        let outcome = entry.unpacked(most);
        // Whatever fails may have cost as much.
        left -= outcome.as_ref().map_or(most, |manifest| manifest.len());
        let manifest = match outcome {
            Ok(manifest) => manifest,
            Err(zip::Flaw::TooLarge) => {
                let reason = "a package.json, or all of them together, are larger than is read of such a file";
                facts.gaps.push(file.gap(GapKind::Limit, reason));
                continue;
            }
            Err(zip::Flaw::Malformed(reason)) => {
                facts.gaps.push(file.gap(GapKind::Malformed, format!("a zipped package: {reason}")));
                continue;
            }
        };
        let inside = LayerPath::from_entry(entry.name);
        let found = (npm::NPM.extract)(&ClaimedFile { path: &inside, content: &manifest, companions: &[] });
        facts.gaps.extend(found.gaps.into_iter().map(|gap| Gap { path: file.path.clone(), ..gap }));
        facts.packages.extend(found.packages.into_iter().map(|package| match is_own(entry.name) {
            true => Package { registry: registry(file.path.file_name()).map(str::to_owned), ..package },
            // What it brings along was taken from a registry when it was packed.
            false => Package { inside: Some(inside.to_string()), ..package },
        }));
    }
    if entries.len() == MAX_MANIFESTS {
        let reason = format!("a zipped package with {MAX_MANIFESTS} others in it, or more; the rest were not read");
        facts.gaps.push(file.gap(GapKind::Limit, reason));
    }
    if !entries.iter().any(|entry| is_own(entry.name)) {
        facts.gaps.push(file.gap(GapKind::Malformed, "a zipped package without a package.json"));
    }
    facts.packages.sort_unstable();
    facts.packages.dedup();
    facts.gaps.sort_unstable();
    facts.gaps.dedup();
    facts
}

fn is_manifest(name: &[u8]) -> bool {
    name.starts_with(b"node_modules/") && (npm::NPM.claims)(name)
}

/// `node_modules/NAME/package.json` or `node_modules/@SCOPE/NAME/package.json`, and none deeper.
fn is_own(manifest: &[u8]) -> bool {
    manifest.iter().filter(|&&b| b == b'/').count() <= 3 && !manifest.starts_with(b"node_modules/node_modules/")
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
