//! The source tree of the workspace, for tests that read it.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub struct SourceFile {
    /// Its path from the root of the workspace, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The root of the workspace.
///
/// # Panics
/// This package is not where it was built.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace");
    assert!(root.join("Cargo.toml").is_file(), "no workspace at {}", root.display());
    root
}

/// Every file of the members whose name ends with `suffix`, sorted by path.
///
/// # Panics
/// One cannot be read.
pub fn files(suffix: &str) -> Vec<SourceFile> {
    let root = root();
    let mut found = Vec::new();
    for member in ["shared", "worker", "coordinator", "loadtest", "tests"] {
        collect(&root, &root.join(member), suffix, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, directory: &Path, suffix: &str, found: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            // Sources of the golden cases are data.
            if !matches!(path.file_name().and_then(|name| name.to_str()), Some("target" | "golden")) {
                collect(root, &path, suffix, found);
            }
        } else if path.to_str().is_some_and(|path| path.ends_with(suffix)) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let path = path.strip_prefix(root).expect("below the root").to_str().expect("UTF-8").replace('\\', "/");
            found.push(SourceFile { path, text });
        }
    }
}

impl SourceFile {
    /// The lines that are code, numbered from 1: no comments, and nothing from the first unit-test module on.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
            .filter(|(_, line)| !line.trim().is_empty())
    }

    /// Whether all of it is a test.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/laws.rs")
            || self.path.contains("/benches/")
    }
}
