//! dpkg's databases: `status`, the `status.d` of distroless images, and the lists of files that packages own.
//!
//! Formats: dpkg(1), deb-control(5); <https://github.com/GoogleContainerTools/distroless> for `status.d`.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::{Package, SourcePackage};
use lazaret::path::{LayerPath, split};
use lazaret::text::from_bytes;

use super::{ClaimedFile, Content, Extractor, control, is_claimed, owned};

const STATUS_DIRECTORY: &[u8] = b"var/lib/dpkg/status.d";

pub(super) static STATUS: Extractor = Extractor {
    name: "dpkg-status",
    version: 1,
    claims: |path| path == b"var/lib/dpkg/status",
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[Ecosystem::Deb],
    form: "`var/lib/dpkg/status`",
    extract: packages,
};

pub(super) static STATUS_D: Extractor = Extractor {
    name: "dpkg-status-d",
    version: 1,
    claims: |path| split(path).0 == STATUS_DIRECTORY && !path.ends_with(b".md5sums"),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Deb],
    form: "`status.d` (distroless)",
    extract: packages,
};

pub(super) static FILE_LIST: Extractor = Extractor {
    name: "dpkg-file-list",
    version: 1,
    claims: |path| path.ends_with(b".list") && split(path).0 == b"var/lib/dpkg/info",
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[],
    form: "",
    extract: |file| files(file, b".list", |line| Some(line)),
};

pub(super) static CHECKSUMS: Extractor = Extractor {
    name: "dpkg-checksums",
    version: 1,
    claims: |path| path.ends_with(b".md5sums") && split(path).0 == STATUS_DIRECTORY,
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[],
    form: "",
    // md5sum(1): 32 digits, two characters of mode, the path.
    extract: |file| files(file, b".md5sums", |line| line.get(34..)),
};

#[derive(Default)]
struct Paragraph<'a> {
    name: &'a [u8],
    version: &'a [u8],
    arch: &'a [u8],
    source: &'a [u8],
    status: &'a [u8],
    any: bool,
}

fn packages(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let mut malformed = 0;
    let mut paragraph = Paragraph::default();
    for line in control::lines(file.content).chain([&b""[..]]) {
        if line.trim_ascii().is_empty() {
            match package(&paragraph) {
                Ok(Some(package)) => facts.packages.push(package),
                Ok(None) => {}
                Err(Malformed) => malformed += 1,
            }
            paragraph = Paragraph::default();
            continue;
        }
        paragraph.any = true;
        match control::field(line) {
            Some((b"Package", value)) => paragraph.name = value,
            Some((b"Version", value)) => paragraph.version = value,
            Some((b"Architecture", value)) => paragraph.arch = value,
            Some((b"Source", value)) => paragraph.source = value,
            Some((b"Status", value)) => paragraph.status = value,
            _ => {}
        }
    }
    facts.packages.sort_unstable();
    facts.packages.dedup();
    if malformed > 0 {
        let reason = format!("{malformed} malformed records in the dpkg database");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    facts
}

struct Malformed;

fn package(paragraph: &Paragraph<'_>) -> Result<Option<Package>, Malformed> {
    if !paragraph.any || !is_installed(paragraph.status) {
        return Ok(None);
    }
    let name = control::value(paragraph.name).ok_or(Malformed)?;
    let version = control::value(paragraph.version).ok_or(Malformed)?;
    Ok(Some(Package {
        arch: control::value(paragraph.arch),
        source: source(paragraph.source, &version),
        ..Package::new(Ecosystem::Deb, name, version)
    }))
}

/// The third word is the state the package is in; of these, two say that its files are not there. A record without a
/// `Status` stands for an installed package: so distroless writes them.
fn is_installed(status: &[u8]) -> bool {
    let state = status.rsplit(|&b| b == b' ').next().unwrap_or_default();
    !matches!(state, b"not-installed" | b"config-files")
}

/// `name`, or `name (version)` where the source package's version is another.
fn source(field: &[u8], version: &str) -> Option<SourcePackage> {
    let open = memchr::memchr(b'(', field).unwrap_or(field.len());
    let name = control::value(field[..open].trim_ascii())?;
    let inner = field.get(open + 1..).unwrap_or_default();
    let own = control::value(inner.strip_suffix(b")").unwrap_or(inner).trim_ascii());
    Some(SourcePackage { name, version: own.unwrap_or_else(|| version.to_owned()) })
}

fn files(file: &ClaimedFile<'_>, suffix: &[u8], path_of: fn(&[u8]) -> Option<&[u8]>) -> Facts {
    let mut facts = Facts::default();
    for line in control::lines(file.content) {
        let Some(path) = path_of(line) else { continue };
        let path = path.strip_prefix(b"/").unwrap_or(path);
        if path.is_empty() {
            continue;
        }
        facts.files.push((owned::key(path), 0));
        if is_claimed(path) {
            facts.owned.push((LayerPath::from_entry(path), 0));
        }
    }
    if !facts.owned.is_empty() {
        let name = file.path.file_name();
        facts.owner = Some(from_bytes(name.strip_suffix(suffix).unwrap_or(name)).into_owned());
        facts.owned.sort_unstable();
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(content: &str) -> Facts {
        packages(&ClaimedFile { path: &"var/lib/dpkg/status".into(), content: content.as_bytes(), companions: &[] })
    }

    #[test]
    fn reads_installed_packages_with_their_sources() {
        let facts = run(
            "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9\nDescription: GNU\n Version: 9\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: libgcc-s1\nStatus: install ok installed\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14+b1\n",
        );
        let read: Vec<_> = facts
            .packages
            .iter()
            .map(|p| {
                let source = p.source.as_ref().unwrap();
                (p.name.as_str(), p.version.as_str(), source.name.as_str(), source.version.as_str())
            })
            .collect();
        assert_eq!(
            read,
            [("libc6", "2.36-9", "glibc", "2.36-9"), ("libgcc-s1", "12.2.0-14+b1", "gcc-12", "12.2.0-14")]
        );
        assert_eq!(facts.gaps, []);
    }

    #[test]
    fn a_record_without_a_version_is_a_gap() {
        let facts = run("Package: a\nStatus: install ok installed\n\nPackage: b\nVersion: 1\n");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
    }

    #[test]
    fn claims_are_exact() {
        for (path, name) in [
            ("var/lib/dpkg/status", Some("dpkg-status")),
            ("var/lib/dpkg/status-old", None),
            ("var/lib/dpkg/status.d/base", Some("dpkg-status-d")),
            ("var/lib/dpkg/status.d/base.md5sums", Some("dpkg-checksums")),
            ("var/lib/dpkg/info/libc6:amd64.list", Some("dpkg-file-list")),
            ("x/var/lib/dpkg/info/libc6.list", None),
        ] {
            assert_eq!(super::super::claim(path.as_bytes()).map(|e| e.name), name, "{path}");
        }
    }
}
