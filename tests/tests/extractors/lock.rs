//! `shared/src/extractors.lock` holds every extractor's version and the hash of what it yields on its golden cases: what an
//! extractor yields cannot change under one version, or cached inventories would lie.
//!
//! `LAZARET_BLESS=1 cargo test -p lazaret-tests --test extractors` writes the file anew. Raise the extractor's version
//! first, unless the hash moved only because cases were added.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;
use lazaret_tests::source_tree::root;
use lazaret_worker::extract::{ClaimedFile, Content, EXTRACTORS, Extractor};

const LOCK: &str = "shared/src/extractors.lock";
/// Stands where an extractor has no golden cases; those are listed here, with the tests that hold them still instead.
const NO_CASES: &str = "-";
/// The databases of rpm are binary; the extractor's own tests build them.
pub const WITHOUT_CASES: &[&str] = &["rpm-bdb", "rpm-manifest", "rpm-ndb", "rpm-sqlite"];

#[test]
fn what_extractors_yield_changes_only_with_their_versions() {
    let found: BTreeMap<&str, (u32, String)> =
        EXTRACTORS.iter().map(|extractor| (extractor.name, (extractor.version, hash(extractor)))).collect();
    let path = root().join(LOCK);
    if std::env::var_os("LAZARET_BLESS").is_some() {
        let lines = found.iter().map(|(name, (version, hash))| format!("{name} {version} {hash}\n"));
        fs::write(&path, lines.collect::<String>()).expect("written");
    }
    let text = fs::read_to_string(&path).expect("the lock file");
    let locked: BTreeMap<&str, (u32, String)> = text
        .lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [name, version, hash] => (name, (version.parse().expect("a version"), hash.to_owned())),
            _ => panic!("{LOCK}: {line}"),
        })
        .collect();
    for (name, (version, hash)) in &found {
        let Some((locked_version, locked_hash)) = locked.get(name) else {
            panic!("{name} is not in {LOCK}; LAZARET_BLESS=1 adds it");
        };
        assert!(
            hash == locked_hash || version != locked_version,
            "what {name} yields has changed under version {version}: raise its version, then LAZARET_BLESS=1"
        );
    }
    assert_eq!(locked, found, "{LOCK} is out of date; LAZARET_BLESS=1 writes it anew");
}

#[test]
fn extractors_have_golden_cases() {
    for extractor in EXTRACTORS {
        let listed = WITHOUT_CASES.contains(&extractor.name);
        assert_eq!(hash(extractor) == NO_CASES, listed, "{}: golden cases, or a place in the list", extractor.name);
    }
}

/// BLAKE3 of what the extractor yields for each file of its cases, with their paths.
fn hash(extractor: &Extractor) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut claimed = 0;
    each(extractor, |below, facts| {
        hasher.update(format!("{}\n{facts:?}\n", below.display()).as_bytes());
        claimed += 1;
    });
    if claimed == 0 { NO_CASES.to_owned() } else { hasher.finalize().to_hex().to_string() }
}

/// What an extractor yields for the files of its cases that it claims.
pub fn yields(extractor: &Extractor) -> Vec<Facts> {
    let mut all = Vec::new();
    each(extractor, |_, facts| all.push(facts));
    all
}

fn each(extractor: &Extractor, mut visit: impl FnMut(&Path, Facts)) {
    let directory = root().join("worker/golden").join(extractor.name);
    let mut files = Vec::new();
    collect(&directory, &mut files);
    files.sort();
    for file in files {
        let below = file.strip_prefix(&directory).expect("below");
        // The first component is the case, the rest is the path in the image.
        let path = below.components().skip(1).collect::<PathBuf>();
        let path = LayerPath::from(path.to_str().expect("UTF-8"));
        if !(extractor.claims)(path.as_bytes()) {
            continue;
        }
        let content = match extractor.content {
            Content::NameOnly | Content::Directory => Vec::new(),
            Content::Whole(_) => fs::read(&file).expect("a case"),
        };
        visit(below, (extractor.extract)(&ClaimedFile { path: &path, content: &content, companions: &[] }));
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
