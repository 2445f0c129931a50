//! Without any one of the extractors, the image that needs it is incomplete: what nobody reads is never a silent zero.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use lazaret::door::source::DirectoryTar;
use lazaret::inventory::GapKind;
use lazaret_coordinator::compose::{Contents, compose};
use lazaret_tests::source_tree::root;
use lazaret_worker::analyze::analyze_reading;
use lazaret_worker::extract::{Content, EXTRACTORS, Extractor};
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;

/// The databases of rpm are binary, and made by the extractors' own tests: here the place alone must tell.
const RPM: &[(&str, &str)] = &[
    ("rpm-sqlite", "var/lib/rpm/rpmdb.sqlite"),
    ("rpm-ndb", "usr/lib/sysimage/rpm/Packages.db"),
    ("rpm-bdb", "var/lib/rpm/Packages"),
    ("rpm-manifest", "var/lib/rpmmanifest/container-manifest-2"),
];

/// Of these no case is complete even with them: what they recognise is a gap.
const NEVER_COMPLETE: &[&str] = &["chisel", "conan-cache", "lock-bun-binary"];

#[test]
fn without_any_extractor_its_image_is_incomplete() {
    let mut never = Vec::new();
    for removed in EXTRACTORS {
        let rest: Vec<&Extractor> = EXTRACTORS.iter().copied().filter(|other| other.name != removed.name).collect();
        let scratch = tempfile::tempdir().expect("a directory");
        let cases = cases(removed, scratch.path());
        assert!(!cases.is_empty(), "{}: no case", removed.name);
        let mut complete = 0;
        for case in cases {
            let with = contents(&case, EXTRACTORS);
            let without = contents(&case, &rest);
            let untold = |contents: &Contents| contents.gaps.iter().filter(|gap| names(&gap.gap, removed)).count();
            let claimed = files(&case).iter().any(|path| (removed.claims)(path.as_bytes()));
            assert_eq!(untold(&with), 0, "{}", case.display());
            assert_eq!(untold(&without) > 0, claimed, "{}", case.display());
            complete += usize::from(claimed && with.gaps.is_empty() && with.recognised.is_empty());
        }
        if complete == 0 && RPM.iter().all(|(name, _)| *name != removed.name) {
            never.push(removed.name);
        }
    }
    assert_eq!(never, NEVER_COMPLETE, "a case that is complete shows that the verdict changes");
}

fn names(gap: &lazaret::inventory::Gap, removed: &Extractor) -> bool {
    gap.kind == GapKind::Unread && gap.reason == format!("{}: recognised, but not read", removed.name)
}

fn contents(directory: &Path, extractors: &[&Extractor]) -> Contents {
    let tar = BufReader::new(DirectoryTar::open(directory).expect("a directory"));
    let analysis = analyze_reading(extractors, tar, &Limits::default(), Ruleset::built_in()).expect("a tar");
    compose([Some(&analysis.inventory)])
}

/// The file trees of an extractor's golden cases; for rpm one that is made.
fn cases(extractor: &Extractor, scratch: &Path) -> Vec<PathBuf> {
    if let Some((_, path)) = RPM.iter().find(|(name, _)| *name == extractor.name) {
        let path = scratch.join(path);
        fs::create_dir_all(path.parent().expect("a parent"))
            .and_then(|()| fs::write(path, "no database"))
            .expect("made");
        return vec![scratch.to_owned()];
    }
    let directory = root().join("worker/golden").join(extractor.name);
    let cases = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    if extractor.content != Content::Directory {
        return cases.collect();
    }
    // A case is of files, which here stand for the directories that are claimed.
    for path in cases.flat_map(|case| files(&case)) {
        fs::create_dir_all(scratch.join(path)).expect("made");
    }
    vec![scratch.to_owned()]
}

/// Paths of all files and directories below.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            found.push(path.strip_prefix(directory).expect("below").to_str().expect("UTF-8").to_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}
