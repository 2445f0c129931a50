//! What a Python distribution installed: `RECORD` of a `*.dist-info`, and `installed-files.txt` of a `*.egg-info`.
//!
//! Formats: <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>, a line `path,hash,size` for
//! each file, relative to the directory that holds the `*.dist-info`; pip's list is relative to the `*.egg-info` itself.

use lazaret::inventory::{Facts, GapKind};
use lazaret::path::LayerPath;

use super::{ClaimedFile, Content, Extractor, control, owned};

/// Yields no package: `METADATA` does, and says what it is. Here is what belongs to it.
pub(super) static RECORD: Extractor = Extractor {
    name: "python-record",
    version: 1,
    claims: |path| {
        let file = path.strip_suffix(b"/RECORD").map(|directory| (directory, &b".dist-info"[..]));
        let file =
            file.or_else(|| path.strip_suffix(b"/installed-files.txt").map(|directory| (directory, &b".egg-info"[..])));
        file.is_some_and(|(directory, suffix)| directory.ends_with(suffix))
    },
    // Distributions of tens of thousands of files have some megabytes.
    content: Content::Whole(64 << 20),
    companions: &[],
    yields: &[],
    form: "",
    extract,
};

/// Files that are kept of one distribution, many times what the largest has.
const MAX_FILES: usize = 1 << 20;

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut base = LayerPath::from_entry(file.path.parent());
    if file.path.file_name() == b"RECORD" {
        base.pop();
    }
    let mut facts = Facts::default();
    let mut budget = owned::Budget::of(file.content);
    for name in control::lines(file.content).filter_map(path) {
        if facts.files.len() == MAX_FILES {
            let reason = format!("more than {MAX_FILES} files of a Python distribution; the rest have no owner");
            facts.gaps.push(file.gap(GapKind::Limit, reason));
            break;
        }
        if budget.takes(base.as_bytes().len() + name.len()) {
            let mut path = base.clone();
            path.extend(name);
            facts.files.push((owned::key(path.as_bytes()), 0));
        }
    }
    if budget.is_spent() {
        let reason = "the files of a Python distribution are out of proportion to their list; later ones have no owner";
        facts.gaps.push(file.gap(GapKind::Limit, reason));
    }
    facts
}

/// The first field of a line. One in quotation marks has a comma or such a mark in its name, which no executable has.
fn path(line: &[u8]) -> Option<&[u8]> {
    let name = line.split(|&b| b == b',').next().unwrap_or_default();
    (!name.is_empty() && name.len() <= 4096 && !name.starts_with(b"\"") && !name.starts_with(b"/")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&RECORD);
    }

    fn keys(path: &str, content: &str) -> Vec<u64> {
        let path = LayerPath::from(path);
        let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
        facts.files.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn paths_are_relative_to_where_the_distribution_is() {
        let record = "numpy/core/x.so,sha256=a,10\r\n../../../bin/f2py,sha256=b,1\n\"a,b\",,\n/abs,,\n\n";
        let expected = ["usr/lib/python3/site-packages/numpy/core/x.so", "usr/bin/f2py"];
        assert_eq!(
            keys("usr/lib/python3/site-packages/numpy-1.dist-info/RECORD", record),
            expected.map(|path| owned::key(path.as_bytes()))
        );
        let list = keys("lib/x.egg-info/installed-files.txt", "../x/a.so\nPKG-INFO\n");
        assert_eq!(list, ["lib/x/a.so", "lib/x.egg-info/PKG-INFO"].map(|path| owned::key(path.as_bytes())));
    }

    #[test]
    fn claims_what_installers_write() {
        let claimed = |path: &str| (RECORD.claims)(path.as_bytes());
        assert!(claimed("a/x.dist-info/RECORD") && claimed("a/x.egg-info/installed-files.txt"));
        assert!(!claimed("a/RECORD") && !claimed("a/x.dist-info/RECORD.jws") && !claimed("x.egg-info/RECORD"));
    }

    #[test]
    fn a_hostile_record_costs_its_own_size() {
        assert_eq!(keys("a.dist-info/RECORD", &"../".repeat(1 << 18)).len(), 0);
        assert_eq!(keys("a.dist-info/RECORD", &"x\n".repeat(1 << 16)).len(), 1 << 16);
        let path = LayerPath::from("a.dist-info/RECORD");
        let content = b"a\n".repeat(MAX_FILES + 1);
        let facts = extract(&ClaimedFile { path: &path, content: &content, companions: &[] });
        assert_eq!((facts.files.len(), facts.gaps.len()), (MAX_FILES, 1));
    }

    #[test]
    fn a_list_below_a_long_path_costs_no_more_than_itself() {
        let start = std::time::Instant::now();
        let path = LayerPath::from(format!("{}x.dist-info/RECORD", "directory/".repeat(400)).as_str());
        let content = "a\n".repeat(1 << 19);
        let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
        assert!(facts.files.len() < 5000 && facts.gaps.len() == 1, "{} {:?}", facts.files.len(), facts.gaps);
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
