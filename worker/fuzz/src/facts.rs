//! What must hold of the facts of any one file.

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

/// Bytes in memory that facts may take for each byte of a file; as in the tests of hostile twins.
pub(crate) const WEIGHT_PER_BYTE: usize = 200;

/// The longest name and version: of a Maven coordinate, each half of which may have 256 bytes.
const MAX_WORD: usize = 600;

/// The first databases that were read: their fields stand as they are written, up to 4 KiB, and are made visible where a person
/// sees them.
const AS_WRITTEN: [&str; 3] = ["apk-", "dpkg-", "rpm-"];

/// Tests what `extractor` found in a file at `path`.
pub(crate) fn check(facts: &Facts, extractor: &str, path: &LayerPath) {
    assert!(facts.packages.is_sorted_by(|a, b| a < b), "packages are not sorted, each once");
    let as_written = AS_WRITTEN.iter().any(|start| extractor.starts_with(start));
    for package in &facts.packages {
        for (what, text) in [("name", &package.name), ("version", &package.version)] {
            assert!(!text.is_empty() || what == "version", "a package without a {what}");
            assert!(as_written || text.len() <= MAX_WORD, "a {what} of {} bytes", text.len());
            assert!(as_written || !text.chars().any(char::is_control), "control characters in a {what}: {text:?}");
        }
        assert!(package.qualifiers.is_sorted_by(|a, b| a.0 < b.0), "qualifiers are not sorted: {package:?}");
    }
    let count = facts.packages.len();
    if facts.owner.is_none() {
        assert!(facts.owned.iter().all(|&(_, index)| (index as usize) < count), "a file of no package");
    }
    assert!(facts.files.iter().all(|&(_, index)| (index as usize) < count.max(1)), "the key of a file of no package");
    for gap in &facts.gaps {
        let of_file = gap.path.as_bytes().strip_prefix(path.as_bytes());
        assert!(of_file.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"!/")), "a gap elsewhere: {gap:?}");
        assert!(!gap.reason.is_empty() && gap.reason.len() <= 8192, "a reason of {} bytes", gap.reason.len());
    }
}
