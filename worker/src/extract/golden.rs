//! Golden cases: `golden/<extractor>/<case>/` holds a small file tree and, in `expected.txt`, what it yields.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

use super::{ClaimedFile, Extractor};

/// Runs `extractor` over every case that it has and compares. With `LAZARET_BLESS=1` it writes what it finds instead.
pub(crate) fn check(extractor: &Extractor) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(extractor.name);
    let cases = children(&root);
    assert!(!cases.is_empty(), "no cases in {}", root.display());
    for case in cases {
        let mut found = String::new();
        for file in files(&case) {
            let name = file.strip_prefix(&case).unwrap().to_str().unwrap();
            if name != "expected.txt" {
                describe(extractor, name, &fs::read(&file).unwrap(), &mut found);
            }
        }
        let expected = case.join("expected.txt");
        if std::env::var_os("LAZARET_BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&expected).unwrap_or_default(), "{}", case.display());
    }
}

/// The files of all its cases: path in the case, and content.
pub(crate) fn files_of(extractor: &Extractor) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(extractor.name);
    let cases = if root.is_dir() { children(&root) } else { Vec::new() };
    let named = |case: PathBuf, file: &Path| file.strip_prefix(&case).unwrap().to_str().unwrap().to_owned();
    let files =
        cases.into_iter().flat_map(|case| files(&case).into_iter().map(move |file| (named(case.clone(), &file), file)));
    files.filter(|(name, _)| name != "expected.txt").map(|(name, file)| (name, fs::read(file).unwrap())).collect()
}

fn describe(extractor: &Extractor, name: &str, content: &[u8], out: &mut String) {
    let _ = writeln!(out, "{name}");
    if !(extractor.claims)(name.as_bytes()) {
        let _ = writeln!(out, "  not claimed");
        return;
    }
    let path = LayerPath::from(name);
    out.push_str(&lines(&(extractor.extract)(&ClaimedFile { path: &path, content, companions: &[] })));
}

/// Facts as golden files write them.
pub(crate) fn lines(facts: &Facts) -> String {
    let mut out = String::new();
    for package in &facts.packages {
        let _ = write!(out, "  {} {} {}", package.ecosystem.name(), package.name, package.version);
        if let Some(licence) = &package.licence {
            let _ = write!(out, " ({licence})");
        }
        for (key, value) in &package.qualifiers {
            let _ = write!(out, " {key}={value}");
        }
        if let Some(registry) = &package.registry {
            let _ = write!(out, " from {registry}");
        }
        if let Some(cpe) = &package.cpe {
            let _ = write!(out, " {cpe}");
        }
        if let Some(inside) = &package.inside {
            let _ = write!(out, " in {inside}");
        }
        out.push('\n');
    }
    for (path, index) in &facts.owned {
        let of = facts.owner.as_deref().or(facts.packages.get(*index as usize).map(|package| package.name.as_str()));
        let _ = writeln!(out, "  {} owns {path}", of.unwrap_or("nobody"));
    }
    if !facts.files.is_empty() {
        let _ = writeln!(out, "  {} files", facts.files.len());
    }
    for gap in &facts.gaps {
        let _ = writeln!(out, "  gap {:?}: {}", gap.kind, gap.reason);
    }
    if let Some(recognised) = facts.recognised {
        let _ = writeln!(out, "  recognised {recognised:?}");
    }
    out
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files below `directory`, sorted.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    children(directory).into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
