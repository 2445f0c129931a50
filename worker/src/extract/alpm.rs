//! pacman's local database: Arch Linux and its descendants. A directory for each package, `desc` about it, `files` of it.
//!
//! Format: alpm-db-desc(5) and alpm-db-files(5): sections of a `%NAME%` line, values one to a line, and an empty line.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind, list_owner};
use lazaret::package::{Package, SourcePackage};
use lazaret::path::{LayerPath, split};
use lazaret::text::from_bytes;

use super::word::{is_word, word};
use super::{ClaimedFile, Content, Extractor, control, is_claimed, licence, owned};

/// What the database says about a package.
pub(super) static DESC: Extractor = Extractor {
    name: "alpm-desc",
    version: 1,
    claims: |path| is_record(path, b"/desc"),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Alpm],
    form: "pacman's `desc`",
    extract: package,
};

/// The files of a package.
pub(super) static FILES: Extractor = Extractor {
    name: "alpm-files",
    version: 1,
    claims: |path| is_record(path, b"/files"),
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[],
    form: "",
    extract: files,
};

fn is_record(path: &[u8], file: &[u8]) -> bool {
    path.strip_suffix(file).is_some_and(|record| {
        let (database, name) = split(record);
        database == b"var/lib/pacman/local" && !name.is_empty()
    })
}

/// Each line of `content` that is a value, with the section that it is of.
fn values(content: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut section: &[u8] = b"";
    control::lines(content).filter_map(move |line| match line {
        [] => None,
        [b'%', name @ .., b'%'] if !name.is_empty() => {
            section = name;
            None
        }
        value => Some((section, value)),
    })
}

fn package(file: &ClaimedFile<'_>) -> Facts {
    let (mut name, mut version, mut base, mut arch, mut vendor) = (None, None, None, None, None);
    let mut licences: Vec<&[u8]> = Vec::new();
    for (section, value) in values(file.content) {
        match section {
            b"NAME" => name = name.or(Some(value)),
            b"VERSION" => version = version.or(Some(value)),
            b"BASE" => base = base.or(Some(value)),
            b"ARCH" => arch = arch.or(Some(value)),
            b"PACKAGER" => vendor = vendor.or(Some(value)),
            // What is kept of them is bounded too.
            b"LICENSE" if licences.len() < 16 => licences.push(value),
            _ => {}
        }
    }
    let malformed = |reason: &str| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    // A record that was cut short may have the name whole and the version in part; pacman ends each section with an empty line.
    if !file.content.ends_with(b"\n\n") {
        return malformed("a pacman record that is cut short");
    }
    let (Some(name), Some(version)) = (name.and_then(word), version.and_then(word)) else {
        return malformed("a pacman record without a valid name and version");
    };
    let base = base.and_then(word).filter(|base| *base != name);
    let licences: Vec<_> = licences.into_iter().map(from_bytes).collect();
    let package = Package {
        arch: arch.and_then(word).map(str::to_owned),
        source: base.map(|base| SourcePackage { name: base.to_owned(), version: version.to_owned() }),
        licence: licence::declared(&licences.join(", ")),
        vendor: vendor.and_then(control::value).filter(|vendor| vendor != "Unknown Packager"),
        ..Package::new(Ecosystem::Alpm, name, version)
    };
    Facts { packages: vec![package], ..Facts::default() }
}

fn files(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let files = values(file.content).filter(|(section, _)| *section == b"FILES");
    for (_, path) in files {
        facts.files.push((owned::key(path), 0));
        if is_claimed(path) {
            facts.owned.push((LayerPath::from_entry(path), 0));
        }
    }
    if facts.owned.is_empty() {
        return facts;
    }
    facts.owned.sort_unstable();
    let owner = list_owner(file.path);
    if !is_word(&owner) {
        let gaps = vec![file.gap(GapKind::Malformed, "a pacman file list whose directory names no package")];
        return Facts { gaps, ..Facts::default() };
    }
    facts.owner = Some(owner);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&DESC);
        golden::check(&FILES);
    }

    #[test]
    fn claims_records_of_the_local_database_only() {
        for (path, desc, files) in [
            ("var/lib/pacman/local/bash-5.2.015-1/desc", true, false),
            ("var/lib/pacman/local/bash-5.2.015-1/files", false, true),
            ("var/lib/pacman/local/bash-5.2.015-1/install", false, false),
            ("var/lib/pacman/local/bash-5.2.015-1/mtree", false, false),
            ("var/lib/pacman/local/ALPM_DB_VERSION", false, false),
            ("var/lib/pacman/local/desc", false, false),
            ("var/lib/pacman/local/a/b/desc", false, false),
            ("var/lib/pacman/sync/a/desc", false, false),
            ("opt/var/lib/pacman/local/a/desc", false, false),
            ("", false, false),
        ] {
            assert_eq!((DESC.claims)(path.as_bytes()), desc, "{path}");
            assert_eq!((FILES.claims)(path.as_bytes()), files, "{path}");
        }
    }

    const RECORD: &[u8] =
        b"%NAME%\nbash\n\n%VERSION%\n5.2.015-1\n\n%BASE%\nbash\n\n%ARCH%\nx86_64\n\n%LICENSE%\nGPL\n\n";

    fn read(content: &[u8]) -> Facts {
        package(&ClaimedFile { path: &"var/lib/pacman/local/bash-5.2.015-1/desc".into(), content, companions: &[] })
    }

    #[test]
    fn a_truncated_record_yields_no_wrong_version() {
        assert_eq!(read(RECORD).packages.len(), 1);
        for end in 0..RECORD.len() {
            let facts = read(&RECORD[..end]);
            match &facts.packages[..] {
                [] => assert_eq!(facts.gaps.len(), 1, "{end}"),
                [package] => assert_eq!((&*package.name, &*package.version), ("bash", "5.2.015-1"), "{end}"),
                more => panic!("{more:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_record_is_a_gap() {
        for content in
            [&b"\xff\xfe%\0N\0A\0M\0E\0%\0\n\n"[..], b"\n\n", b"%NAME%\n\n%VERSION%\n1\n\n", &[b'%'; 1 << 16]]
        {
            assert_eq!((read(content).packages.len(), read(content).gaps.len()), (0, 1));
        }
    }

    #[test]
    fn a_file_list_is_of_the_package_that_its_directory_names() {
        let content = b"%FILES%\nusr/\nusr/lib/python3.12/site-packages/six-1.16.0.dist-info/METADATA\n\n%BACKUP%\na/node_modules/b/package.json\t0\n";
        let path = "var/lib/pacman/local/python-six-1.16.0-9/files".into();
        let facts = files(&ClaimedFile { path: &path, content, companions: &[] });
        assert_eq!(facts.owner.as_deref(), Some("python-six"));
        assert_eq!(facts.owned, [("usr/lib/python3.12/site-packages/six-1.16.0.dist-info/METADATA".into(), 0)]);
    }
}
