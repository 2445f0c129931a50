//! apk's database of installed packages: Alpine, Wolfi, Chainguard.
//!
//! Format: <https://wiki.alpinelinux.org/wiki/Apk_spec>, "Installed Database": one letter, a colon and a value to a line,
//! packages apart by empty lines, `F:` a directory and `R:` a file in it.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::{Package, SourcePackage};
use lazaret::path::LayerPath;

use super::{ClaimedFile, Content, Extractor, control, is_claimed, owned};

pub(super) static APK: Extractor = Extractor {
    name: "apk-installed",
    version: 1,
    claims: |path| matches!(path, b"lib/apk/db/installed" | b"usr/lib/apk/db/installed"),
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[Ecosystem::Apk],
    form: "`lib/apk/db/installed`",
    extract,
};

#[derive(Default)]
struct Record<'a> {
    name: &'a [u8],
    version: &'a [u8],
    arch: &'a [u8],
    licence: &'a [u8],
    origin: &'a [u8],
    directory: &'a [u8],
    owned: Vec<LayerPath>,
    files: Vec<u64>,
    any: bool,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let mut found: Vec<(Package, Vec<LayerPath>, Vec<u64>)> = Vec::new();
    let mut malformed = 0;
    let mut record = Record::default();
    let mut path = Vec::new();
    let mut budget = owned::Budget::of(file.content);
    for line in control::lines(file.content).chain([&b""[..]]) {
        match line {
            [] => {
                let record = std::mem::take(&mut record);
                match package(&record) {
                    Some(package) => found.push((package, record.owned, record.files)),
                    None if record.any => malformed += 1,
                    None => {}
                }
            }
            [key, b':', value @ ..] => {
                record.any = true;
                match key {
                    b'P' => record.name = value,
                    b'V' => record.version = value,
                    b'A' => record.arch = value,
                    b'L' => record.licence = value,
                    b'o' => record.origin = value,
                    b'F' => record.directory = value,
                    b'R' if !budget.takes(record.directory.len().saturating_add(value.len())) => {}
                    b'R' => {
                        path.clear();
                        path.extend_from_slice(record.directory);
                        if !path.is_empty() {
                            path.push(b'/');
                        }
                        path.extend_from_slice(value);
                        record.files.push(owned::key(&path));
                        if is_claimed(&path) {
                            record.owned.push(LayerPath::from_entry(&path));
                        }
                    }
                    _ => {}
                }
            }
            _ => malformed += 1,
        }
    }
    found.sort_unstable();
    for (package, owned, files) in found {
        // A damaged database may have a package twice, with other files each time.
        if facts.packages.last() != Some(&package) {
            facts.packages.push(package);
        }
        let index = facts.packages.len() as u32 - 1;
        facts.files.extend(files.into_iter().map(|file| (file, index)));
        facts.owned.extend(owned.into_iter().map(|path| (path, index)));
    }
    if malformed > 0 {
        let reason = format!("{malformed} malformed records or lines in the apk database");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    if budget.is_spent() {
        let reason = "the files of the apk database are out of proportion to it; later ones have no owner";
        facts.gaps.push(file.gap(GapKind::Limit, reason));
    }
    facts
}

fn package(record: &Record<'_>) -> Option<Package> {
    let version = control::value(record.version)?;
    let source = control::value(record.origin).map(|name| SourcePackage { name, version: version.clone() });
    Some(Package {
        arch: control::value(record.arch),
        licence: control::value(record.licence),
        source,
        ..Package::new(Ecosystem::Apk, control::value(record.name)?, version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(content: &[u8]) -> Facts {
        extract(&ClaimedFile { path: &"lib/apk/db/installed".into(), content, companions: &[] })
    }

    #[test]
    fn reads_packages_origins_and_owned_paths() {
        let facts = run(b"C:Q1x=\nP:ssl_client\nV:1.36.1-r7\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\nP:py3-six\nV:1.16.0-r6\nF:usr/lib/python3.11/site-packages/six-1.16.0.dist-info\nR:METADATA\nR:RECORD\n\n");
        let names: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(names, [("py3-six", "1.16.0-r6"), ("ssl_client", "1.36.1-r7")]);
        assert_eq!(facts.packages[1].source.as_ref().unwrap().name, "busybox");
        assert_eq!(facts.gaps, []);
    }

    #[test]
    fn says_what_it_could_not_read() {
        let facts = run(b"P:only-a-name\n\nnonsense\nP:a\nV:1\n");
        assert_eq!(facts.packages.len(), 1);
        assert_eq!(facts.gaps.len(), 1);
        assert!(run(&[0; 4096]).packages.is_empty() && run(&[0; 4096]).gaps.len() == 1);
        assert_eq!(run(b""), Facts::default());
    }

    #[test]
    fn a_package_that_is_there_twice_has_the_files_of_both() {
        let facts = run(b"P:a\nV:1\nF:etc\nR:os-release\n\nP:b\nV:1\n\nP:a\nV:1\nF:usr/lib\nR:os-release\n\n");
        assert_eq!(facts.packages.len(), 2);
        let owned = [("etc/os-release", 0), ("usr/lib/os-release", 0)];
        assert_eq!(facts.owned, owned.map(|(path, index)| (path.into(), index)));
        assert!(facts.files.len() == 2 && facts.files.iter().all(|&(_, index)| index == 0));
    }

    #[test]
    fn a_directory_named_again_and_again_costs_no_more_than_the_database() {
        let start = std::time::Instant::now();
        for directory in [4000, 1 << 20] {
            let files = "R:\n".repeat(1 << 19);
            let facts = run(format!("P:a\nV:1\nF:{}\n{files}\n", "d".repeat(directory)).as_bytes());
            assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1), "{directory}");
            assert_eq!(facts.gaps[0].kind, GapKind::Limit);
            assert!(facts.files.len() < 20_000, "{directory}");
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
