//! Flatpak's deployments: `flatpak/app/ID/ARCH/BRANCH/COMMIT/metadata`, and `flatpak/runtime/…` alike.
//!
//! Format: flatpak-metadata(5); layout: <https://github.com/flatpak/flatpak/wiki/Filesystem>.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;

use super::word::word;
use super::{ClaimedFile, Content, Extractor, control};

/// Applications and runtimes. The version is the branch (`23.08`, `stable`), which is what Flatpak tells installations apart
/// by; the version that an application calls itself is not in its metadata.
pub(super) static FLATPAK: Extractor = Extractor {
    name: "flatpak",
    version: 1,
    claims: |path| path.ends_with(b"/metadata") && Deployment::of(path).is_some(),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Flatpak],
    form: "deployments",
    extract,
};

/// What the path of a deployment says.
struct Deployment<'a> {
    id: &'a [u8],
    arch: &'a [u8],
    branch: &'a [u8],
    commit: &'a [u8],
}

impl<'a> Deployment<'a> {
    fn of(path: &'a [u8]) -> Option<Self> {
        let mut components = path.rsplit(|&b| b == b'/').skip(1);
        let mut component = || components.next();
        let (commit, branch, arch, id) = (component()?, component()?, component()?, component()?);
        let is_one = matches!(component()?, b"app" | b"runtime") && component()? == b"flatpak";
        let is_checksum = commit.len() == 64 && commit.iter().all(u8::is_ascii_hexdigit);
        (is_one && is_checksum).then_some(Self { id, arch, branch, commit })
    }
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let malformed = |reason: &str| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let mut in_group = false;
    let mut name = None;
    for line in control::lines(file.content).map(<[u8]>::trim_ascii) {
        if line.starts_with(b"[") {
            in_group = matches!(line, b"[Application]" | b"[Runtime]" | b"[ExtensionOf]") && name.is_none();
        } else if in_group && name.is_none() {
            name = line.strip_prefix(b"name=");
        }
    }
    let Some(deployment) = Deployment::of(file.path.as_bytes()) else { return Facts::default() };
    let (Some(id), Some(branch)) = (word(deployment.id), word(deployment.branch)) else {
        return malformed("a Flatpak deployment with an invalid name or branch");
    };
    if name != Some(id.as_bytes()) {
        return malformed("metadata of a Flatpak that do not name it");
    }
    let commit = word(deployment.commit).map(|commit| ("commit".to_owned(), commit.to_owned()));
    let package = Package {
        arch: word(deployment.arch).map(str::to_owned),
        qualifiers: commit.into_iter().collect(),
        ..Package::new(Ecosystem::Flatpak, id, branch)
    };
    Facts { packages: vec![package], ..Facts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    const COMMIT: &str = "71885e962e0daa8635cc7f33b1d1a1f1c2d3e4f5a6b7c8d9e0f10213a4b5c6d7";

    #[test]
    fn golden_cases() {
        golden::check(&FLATPAK);
    }

    #[test]
    fn claims_deployments_only() {
        for (path, claimed) in [
            (format!("var/lib/flatpak/app/org.gnome.Calculator/x86_64/stable/{COMMIT}/metadata"), true),
            (format!("root/.local/share/flatpak/runtime/org.gnome.Platform/x86_64/45/{COMMIT}/metadata"), true),
            (format!("var/lib/flatpak/app/a/x86_64/stable/{COMMIT}/files/metadata"), false),
            ("var/lib/flatpak/app/a/x86_64/stable/active/metadata".to_owned(), false),
            (format!("var/lib/other/app/a/x86_64/stable/{COMMIT}/metadata"), false),
            ("usr/share/metadata".to_owned(), false),
        ] {
            assert_eq!((FLATPAK.claims)(path.as_bytes()), claimed, "{path}");
        }
    }

    #[test]
    fn every_truncation_is_a_gap_or_the_whole() {
        let path = format!("var/lib/flatpak/app/org.a.B/x86_64/stable/{COMMIT}/metadata").as_str().into();
        let whole = b"[Application]\nname=org.a.B\nruntime=org.gnome.Platform/x86_64/45\n";
        for end in 0..=whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            assert_eq!((facts.packages.len(), facts.gaps.len()), if end < 26 { (0, 1) } else { (1, 0) }, "{end}");
        }
        let other = extract(&ClaimedFile { path: &path, content: b"[Context]\nname=org.a.B\n", companions: &[] });
        assert_eq!(other.gaps.len(), 1);
    }
}
