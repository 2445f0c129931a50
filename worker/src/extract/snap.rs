//! Snaps: `meta/snap.yaml` of each, and the manifest of what was built into it.
//!
//! Formats: <https://snapcraft.io/docs/snap-format>, and what snapcraft writes to `snap/manifest.yaml` where it is asked to.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;

use super::word::is_word;
use super::{ClaimedFile, Content, Extractor, licence};

mod yaml;

use yaml::Document;

/// An unpacked snap: at the root of an image, or `snap/NAME/REVISION` in one.
pub(super) static SNAP: Extractor = Extractor {
    name: "snap",
    version: 1,
    claims: |path| is_of_snap(path, b"meta/snap.yaml"),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Snap],
    form: "`meta/snap.yaml`",
    extract: snap,
};

/// The packages of Ubuntu whose files were put into it.
pub(super) static MANIFEST: Extractor = Extractor {
    name: "snap-manifest",
    version: 1,
    claims: |path| is_of_snap(path, b"snap/manifest.yaml"),
    content: Content::Whole(4 << 20),
    companions: &[],
    yields: &[Ecosystem::Deb],
    form: "packages staged in a snap",
    extract: manifest,
};

fn is_of_snap(path: &[u8], tail: &[u8]) -> bool {
    path.strip_suffix(tail).is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

fn snap(file: &ClaimedFile<'_>) -> Facts {
    let malformed = |reason: String| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let document = match Document::read(file.content) {
        Ok(document) => document,
        Err(reason) => return malformed(format!("snap.yaml: {reason}")),
    };
    let (Some(name), Some(version)) = (document.word("name"), document.word("version")) else {
        return malformed("snap.yaml without a valid name and version".to_owned());
    };
    let package = Package {
        arch: document.list("architectures").next().filter(|arch| is_word(arch)).map(|arch| arch.clone().into_owned()),
        licence: document.text("license").and_then(licence::declared),
        ..Package::new(Ecosystem::Snap, name, version)
    };
    Facts { packages: vec![package], ..Facts::default() }
}

/// `primed-stage-packages` are `NAME[:ARCH]=VERSION` each. They are of the release that the snap was built on, which is not
/// the image's, so its advisories say nothing about them.
fn manifest(file: &ClaimedFile<'_>) -> Facts {
    let document = match Document::read(file.content) {
        Ok(document) => document,
        Err(reason) => {
            let gaps = vec![file.gap(GapKind::Malformed, format!("manifest of a snap: {reason}"))];
            return Facts { gaps, ..Facts::default() };
        }
    };
    // Other things are called so, in directories that are called so.
    if document.text("snapcraft-version").is_none() {
        return Facts::default();
    }
    let mut facts = Facts::default();
    let mut malformed = 0_u64;
    let built_on = document.list("architectures").next();
    for entry in document.list("primed-stage-packages") {
        match primed(entry, built_on.map(AsRef::as_ref)) {
            Some(package) => facts.packages.push(package),
            None => malformed += 1,
        }
    }
    facts.packages.sort_unstable();
    facts.packages.dedup();
    if malformed > 0 {
        let reason = format!("{malformed} malformed packages in the manifest of a snap");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    facts
}

fn primed(entry: &str, built_on: Option<&str>) -> Option<Package> {
    let (name, version) = entry.split_once('=')?;
    let (name, arch) = name.split_once(':').map_or((name, built_on), |(name, arch)| (name, Some(arch)));
    (is_word(name) && is_word(version)).then(|| Package {
        arch: arch.filter(|arch| is_word(arch)).map(str::to_owned),
        registry: Some("registry".to_owned()),
        ..Package::new(Ecosystem::Deb, name, version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&SNAP);
        golden::check(&MANIFEST);
    }

    #[test]
    fn claims_whole_components() {
        for (path, snap, manifest) in [
            ("meta/snap.yaml", true, false),
            ("snap/core22/864/meta/snap.yaml", true, false),
            ("snap/manifest.yaml", false, true),
            ("snap/hello/1/snap/manifest.yaml", false, true),
            ("src/xmeta/snap.yaml", false, false),
            ("snap/snapcraft.yaml", false, false),
            ("app/manifest.yaml", false, false),
        ] {
            assert_eq!((SNAP.claims)(path.as_bytes()), snap, "{path}");
            assert_eq!((MANIFEST.claims)(path.as_bytes()), manifest, "{path}");
        }
    }

    #[test]
    fn a_truncated_snap_yields_no_wrong_version() {
        let whole = b"name: hello\nversion: '2.10'\nsummary: GNU\narchitectures:\n- amd64\n";
        let path = "meta/snap.yaml".into();
        for end in 0..=whole.len() {
            let facts = snap(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            match &facts.packages[..] {
                [] => assert_eq!(facts.gaps.len(), 1, "{end}"),
                [package] => assert_eq!((&*package.name, &*package.version), ("hello", "2.10"), "{end}"),
                more => panic!("{more:?}"),
            }
        }
    }

    #[test]
    fn a_manifest_of_something_else_is_nothing() {
        let path = "snap/manifest.yaml".into();
        let of = |content: &[u8]| manifest(&ClaimedFile { path: &path, content, companions: &[] });
        assert_eq!(of(b"apiVersion: v1\nkind: Pod\n"), Facts::default());
        let facts = of(b"snapcraft-version: 8.2\nprimed-stage-packages:\n- libc6:i386=2.39-0ubuntu8\n- odd\n");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
        assert_eq!(facts.packages[0].arch.as_deref(), Some("i386"));
    }
}
