//! Installed Node packages: the `package.json` of each directory in a `node_modules`.

mod manifest;

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use self::manifest::{Manifest, Text};
use super::{ClaimedFile, Content, Extractor, licence};

/// Packages that `npm ls --all` lists: `node_modules/NAME/package.json` and `node_modules/@SCOPE/NAME/package.json`, at
/// any depth, pnpm's store and global packages included.
///
/// Also what Debian packages bring, which Node finds in directories of its own there, `/usr/share/nodejs`, `/usr/lib/nodejs` and
/// `/usr/lib/TRIPLET/nodejs` (Debian's JavaScript policy); and the package managers that lie outside of any `node_modules`:
/// those that corepack downloaded, and the Yarn of Docker's official Node images.
///
/// Not the application's own `package.json` (the root of the tree, not installed into it), and none further inside a
/// package, where they mark a module type or belong to a test. npm's hidden lockfile (`node_modules/.package-lock.json`) would
/// tell which package is a link or came from git, but of packages that are in other directories.
pub(crate) static NPM: Extractor = Extractor {
    name: "npm",
    version: 3,
    claims,
    // Old registries put the whole readme into it; nothing in earnest comes near this.
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::Npm],
    form: "`package.json` in `node_modules`, bundled, of Debian or of Corepack",
    extract,
};

fn claims(path: &[u8]) -> bool {
    let Some(directory) = path.strip_suffix(b"/package.json") else { return false };
    let (above, name) = split(directory);
    if name.starts_with(b".") || name.starts_with(b"@") {
        return false;
    }
    let (beyond, parent) = split(above);
    is_home(above) || parent.starts_with(b"@") && is_home(beyond) || is_package_manager(directory)
}

/// Whether packages lie in this directory, each in one of its name: a `node_modules`, or Debian's `nodejs`.
fn is_home(directory: &[u8]) -> bool {
    let (above, name) = split(directory);
    let parent = split(above).1;
    let is_triplet = || parent.windows(7).any(|part| part == b"-linux-");
    name == b"node_modules" || name == b"nodejs" && (matches!(parent, b"share" | b"lib") || is_triplet())
}

/// `corepack/v1/NAME/VERSION`, and `opt/yarn-vVERSION` as Docker's official images have it.
fn is_package_manager(directory: &[u8]) -> bool {
    let (above, version) = split(directory);
    let (corepack, name) = split(above);
    let is_corepack = matches!(name, b"npm" | b"pnpm" | b"yarn") && split(corepack).1 == b"v1";
    is_corepack && split(split(corepack).0).1 == b"corepack" || version.starts_with(b"yarn-v") && above == b"opt"
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let content = file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content);
    let malformed = |reason: String| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let manifest: Manifest<'_> = match serde_json::from_slice(content) {
        Ok(manifest) => manifest,
        Err(error) => return malformed(format!("package.json: {error}")),
    };
    // A directory with a manifest but no version: a type marker or a stub, for npm too.
    let version = match manifest.version {
        None => return Facts::default(),
        Some(Text(Some(version))) if version.is_empty() => return Facts::default(),
        Some(Text(Some(version))) if is_word(&version) => version,
        Some(_) => return malformed("package.json with an invalid version".to_owned()),
    };
    let name = match manifest.name {
        None => match directory_name(file.path.parent()) {
            Some(name) => Cow::Borrowed(name),
            None => return malformed("package.json without a name".to_owned()),
        },
        Some(Text(Some(name))) if is_name(&name) => name,
        Some(_) => return malformed("package.json with an invalid name".to_owned()),
    };
    let mut package = Package::new(Ecosystem::Npm, name, version);
    package.licence = manifest.licence.as_deref().and_then(licence::declared);
    Facts { packages: vec![package], ..Facts::default() }
}

/// The name that the place stands for, which npm takes where the manifest has none.
fn directory_name(directory: &[u8]) -> Option<&str> {
    let (above, name) = split(directory);
    let scope = split(above).1;
    let start = if scope.starts_with(b"@") { directory.len() - name.len() - scope.len() - 1 } else { above.len() + 1 };
    std::str::from_utf8(directory.get(start..)?).ok().filter(|name| is_name(name))
}

/// What every published name fulfils, those of the early registry too: `name` or `@scope/name` of visible characters,
/// at most 214 (validate-npm-package-name).
pub(super) fn is_name(name: &str) -> bool {
    let bare = match name.strip_prefix('@') {
        Some(scoped) => match scoped.split_once('/') {
            Some((scope, bare)) if !scope.is_empty() => bare,
            _ => return false,
        },
        None => name,
    };
    name.len() <= 214 && !bare.is_empty() && !bare.contains('/') && is_word(name)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&NPM);
    }

    #[test]
    fn claims_places_of_packages_only() {
        for path in [
            "node_modules/a/package.json",
            "app/node_modules/@s/a/package.json",
            "app/node_modules/a/node_modules/b/package.json",
            "app/node_modules/.pnpm/x@1.0.0/node_modules/x/package.json",
            "usr/lib/node_modules/npm/package.json",
            "usr/share/nodejs/a/package.json",
            "usr/share/nodejs/@s/a/package.json",
            "usr/lib/x86_64-linux-gnu/nodejs/a/package.json",
            "root/.cache/node/corepack/v1/pnpm/9.1.0/package.json",
            "opt/yarn-v1.22.19/package.json",
        ] {
            assert!(claims(path.as_bytes()), "{path}");
        }
        for path in [
            "package.json",
            "app/package.json",
            "node_modules/package.json",
            "node_modules/.cache/package.json",
            "node_modules/@s/package.json",
            "node_modules/@s/.x/package.json",
            "node_modules/a/test/package.json",
            "node_modules/a/dist/esm/package.json",
            "not_node_modules/a/package.json",
            "xnode_modules/@s/a/package.json",
            "@s/a/package.json",
            "srv/nodejs/a/package.json",
            "usr/share/nodejs/package.json",
            "usr/share/nodejs/a/dist/esm/package.json",
            "usr/share/doc/nodejs/a/package.json",
            "srv/corepack/v1/other/1.0.0/package.json",
            "v1/pnpm/9.1.0/package.json",
            "srv/opt/yarn-v1.22.19/package.json",
            "node_modules/a/package.json5",
            "node_modules/a/xpackage.json",
        ] {
            assert!(!claims(path.as_bytes()), "{path}");
        }
    }

    fn read(content: &[u8]) -> Facts {
        let path = LayerPath::from("node_modules/@s/a/package.json");
        extract(&ClaimedFile { path: &path, content, companions: &[] })
    }

    #[test]
    fn hostile_depth_and_size_neither_overflow_nor_hide() {
        for open in ["[", "{\"a\":", "{\"type\":"] {
            for key in ["x", "license", "licenses", "name"] {
                let deep = format!("{{\"version\":\"1\",\"{key}\":{}", open.repeat(1 << 20));
                assert_eq!(read(deep.as_bytes()).gaps.len(), 1, "{open} {key}");
            }
        }
        let nested = format!(r#"{{"version":"1","x":{}{}}}"#, "[".repeat(1 << 16), "]".repeat(1 << 16));
        assert_eq!(read(nested.as_bytes()).packages[0].name, "@s/a");
        let wide = format!(r#"{{"version":"1","licenses":[{}"a"]}}"#, r#"{"type":"b"},"#.repeat(1 << 16));
        assert!(read(wide.as_bytes()).packages[0].licence.as_ref().is_some_and(|licence| licence.len() <= 256));
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = br#"{"name":"a","version":"1.0.0","license":{"type":"MIT"}}"#;
        for end in 0..whole.len() {
            let facts = read(&whole[..end]);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
        }
    }
}
