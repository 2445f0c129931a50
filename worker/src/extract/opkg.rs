//! opkg's databases: OpenWrt, Yocto. The `status` of all packages, the `control` of each, and the lists of their files.
//!
//! Formats: those of dpkg (deb-control(5)), with fields of opkg's own; <https://git.yoctoproject.org/opkg/tree/man>.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind, list_owner};
use lazaret::package::{Package, SourcePackage};
use lazaret::path::{LayerPath, split};

use super::word::word;
use super::{ClaimedFile, Content, Extractor, control, is_claimed, owned};

/// Where OpenWrt keeps them, and where everybody else does.
const DIRECTORIES: [&[u8]; 2] = [b"usr/lib/opkg", b"var/lib/opkg"];

/// The state of all packages.
pub(super) static STATUS: Extractor = Extractor {
    name: "opkg-status",
    version: 1,
    claims: |path| path.strip_suffix(b"/status").is_some_and(|directory| DIRECTORIES.contains(&directory)),
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[Ecosystem::Opkg],
    form: "`status`",
    extract: packages,
};

/// What a package says of itself; kept for as long as it is installed.
pub(super) static CONTROL: Extractor = Extractor {
    name: "opkg-control",
    version: 1,
    claims: |path| path.ends_with(b".control") && is_info(path),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Opkg],
    form: "`info/*.control`",
    extract: packages,
};

/// The files of a package.
pub(super) static FILE_LIST: Extractor = Extractor {
    name: "opkg-file-list",
    version: 1,
    claims: |path| path.ends_with(b".list") && is_info(path),
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[],
    form: "",
    extract: files,
};

fn is_info(path: &[u8]) -> bool {
    split(path).0.strip_suffix(b"/info").is_some_and(|directory| DIRECTORIES.contains(&directory))
}

#[derive(Default)]
struct Paragraph<'a> {
    name: &'a [u8],
    version: &'a [u8],
    arch: &'a [u8],
    licence: &'a [u8],
    source: &'a [u8],
    status: &'a [u8],
    any: bool,
}

fn packages(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let mut malformed = 0_u64;
    let mut paragraph = Paragraph::default();
    let (whole, cut_short) = last_line_whole(file.content);
    for line in control::lines(whole).chain([&b""[..]]) {
        if line.trim_ascii().is_empty() {
            let paragraph = std::mem::take(&mut paragraph);
            if paragraph.any && is_installed(paragraph.status) {
                match package(&paragraph) {
                    Some(package) => facts.packages.push(package),
                    None => malformed += 1,
                }
            }
            continue;
        }
        paragraph.any = true;
        match control::field(line) {
            Some((b"Package", value)) => paragraph.name = value,
            Some((b"Version", value)) => paragraph.version = value,
            Some((b"Architecture", value)) => paragraph.arch = value,
            Some((b"License", value)) => paragraph.licence = value,
            Some((b"SourceName", value)) => paragraph.source = value,
            Some((b"Status", value)) => paragraph.status = value,
            _ => {}
        }
    }
    facts.packages.sort_unstable();
    facts.packages.dedup();
    if cut_short {
        facts.gaps.push(file.gap(GapKind::Malformed, "the opkg database is cut short"));
    }
    if malformed > 0 {
        let reason = format!("{malformed} malformed records in the opkg database");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    facts
}

/// What comes before the last line feed, and whether anything follows: half a line may be half a version.
fn last_line_whole(content: &[u8]) -> (&[u8], bool) {
    let end = memchr::memrchr(b'\n', content).map_or(0, |at| at + 1);
    (&content[..end], end < content.len())
}

/// The third word is the state the package is in. A record without a `Status` is of a control file.
fn is_installed(status: &[u8]) -> bool {
    !matches!(status.rsplit(|&b| b == b' ').next(), Some(b"not-installed" | b"config-files"))
}

fn package(paragraph: &Paragraph<'_>) -> Option<Package> {
    let name = word(paragraph.name)?;
    let version = word(paragraph.version)?;
    // `Source` is the path of a recipe in a build tree, so only OpenWrt's field names what it was built from.
    let source = word(paragraph.source).filter(|source| *source != name);
    Some(Package {
        arch: word(paragraph.arch).map(str::to_owned),
        licence: control::value(paragraph.licence).as_deref().and_then(super::licence::declared),
        source: source.map(|source| SourcePackage { name: source.to_owned(), version: version.to_owned() }),
        ..Package::new(Ecosystem::Opkg, name, version)
    })
}

fn files(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    for line in control::lines(file.content) {
        // Yocto's opkg writes size and mode behind the path, with tabs.
        let path = line.split(|&b| b == b'\t').next().unwrap_or_default();
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
        facts.owner = Some(list_owner(file.path));
        facts.owned.sort_unstable();
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&STATUS);
        golden::check(&CONTROL);
        golden::check(&FILE_LIST);
    }

    #[test]
    fn claims_are_exact() {
        for (path, name) in [
            ("usr/lib/opkg/status", Some("opkg-status")),
            ("var/lib/opkg/status", Some("opkg-status")),
            ("usr/lib/opkg/info/busybox.control", Some("opkg-control")),
            ("var/lib/opkg/info/busybox.list", Some("opkg-file-list")),
            ("usr/lib/opkg/info/busybox.prerm", None),
            ("usr/lib/opkg/lists/base", None),
            ("opt/usr/lib/opkg/status", None),
            ("usr/lib/opkg/info/a/b.control", None),
            ("status", None),
        ] {
            assert_eq!(super::super::claim(path.as_bytes()).map(|e| e.name), name, "{path}");
        }
    }

    fn read(content: &[u8]) -> Facts {
        packages(&ClaimedFile { path: &"usr/lib/opkg/status".into(), content, companions: &[] })
    }

    #[test]
    fn what_is_malformed_is_counted() {
        let facts = read(b"Package: a\nVersion: 1\n\nPackage: b\n\nnoise\n\n\xff\xfe\n");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
        assert!(facts.gaps[0].reason.starts_with('3'), "{facts:?}");
        assert_eq!(read(b""), Facts::default());
        assert_eq!(read(&b"Package: a\nVersion: 1\n\n".repeat(1000)).packages.len(), 1);
    }

    #[test]
    fn a_truncated_database_yields_no_wrong_version() {
        let whole = b"Package: busybox\nVersion: 1.36.1-1\nArchitecture: x86_64\nStatus: install user installed\n\n";
        for end in 0..whole.len() {
            let facts = read(&whole[..end]);
            assert!(facts.packages.iter().all(|package| package.version == "1.36.1-1"), "{end}");
            assert_eq!(
                facts.packages.is_empty() && end > 0,
                facts.packages.is_empty() && !facts.gaps.is_empty(),
                "{end}"
            );
        }
    }

    #[test]
    fn a_removed_package_is_none() {
        let facts = read(b"Package: a\nVersion: 1\nStatus: deinstall ok not-installed\n\n");
        assert_eq!(facts, Facts::default());
    }
}
