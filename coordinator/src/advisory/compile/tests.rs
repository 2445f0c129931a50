//! Compiling small sets of records.

use std::fs;

use super::*;
use crate::advisory::Snapshot;

const PYTHON: &str = r#"{"id":"PYSEC-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-1"],
    "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected":[{"package":{"ecosystem":"PyPI","name":"Some_Thing"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]}]}"#;
const DEBIAN: &str = r#"{"id":"DSA-1","modified":"2024-01-01T00:00:00Z","affected":[
    {"package":{"ecosystem":"Debian:12","name":"thing"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]}]},
    {"package":{"ecosystem":"Debian:11","name":"thing"},"ranges":[{"type":"GIT","events":[]}]}]}"#;
const DEBIAN_NEWER: &str = r#"{"id":"DSA-1","modified":"2024-01-01T00:00:00.5Z","affected":[
    {"package":{"ecosystem":"Debian:12","name":"thing"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3"}]}]}]}"#;
const OTHER_WITH_THAT_ID: &str = r#"{"id":"DSA-1","modified":"0001-01-01T00:00:00Z","affected":[
    {"package":{"ecosystem":"FutureEco:1","name":"thing"},"versions":["1"]}]}"#;
const WITHDRAWN: &str = r#"{"id":"GONE-1","modified":"nonsense","withdrawn":"2024-01-01T00:00:00Z","affected":[
    {"package":{"ecosystem":"PyPI","name":"some-thing"},"versions":["1"]}]}"#;

fn compiled(records: &[&str], directory: &Path) -> (Summary, PathBuf) {
    let mut sources = Vec::new();
    for (number, record) in records.iter().enumerate() {
        sources.push(directory.join(format!("{number}.json")));
        fs::write(&sources[number], record).unwrap();
    }
    let out = directory.join("out.snapshot");
    (compile(&sources, &out).unwrap(), out)
}

#[test]
fn answers_what_was_put_in() {
    let directory = tempfile::tempdir().unwrap();
    let (summary, out) = compiled(&[PYTHON, DEBIAN, WITHDRAWN, "{", OTHER_WITH_THAT_ID], directory.path());
    assert_eq!((summary.advisories, summary.withdrawn, summary.bad, summary.git_ranges), (3, 1, 1, 1));
    assert!(summary.bad_records[0].0.ends_with("3.json"), "{:?}", summary.bad_records);

    let snapshot = Snapshot::open(&out).unwrap();
    snapshot.verify().unwrap();
    assert_eq!(snapshot.digest(), summary.digest);
    let names: Vec<&str> = snapshot.ecosystems().iter().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["Debian:11", "Debian:12", "FutureEco:1", "PyPI"]);
    assert!(snapshot.has_ecosystem("Debian:12") && !snapshot.has_ecosystem("Debian"));
    assert_eq!((snapshot.ecosystems()[3].advisories, snapshot.ecosystems()[3].withdrawn), (1, 1));

    let hits = snapshot.lookup("PyPI", "some.thing").unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].advisory.id, "PYSEC-1");
    assert_eq!(hits[0].affected.ranges[0].events[1].version, "2");
    assert_eq!(snapshot.lookup("FutureEco:1", "thing").unwrap()[0].affected.versions, ["1"]);
    assert_eq!(snapshot.lookup("Debian:12", "other").unwrap(), []);
    assert_eq!(snapshot.lookup("Debian:13", "thing").unwrap(), []);
    assert_eq!(snapshot.lenders("CVE-1").unwrap()[0].id, "PYSEC-1");
    assert_eq!(snapshot.lenders("CVE-2").unwrap(), []);
}

#[test]
fn the_newer_of_two_records_counts_for_its_ecosystem() {
    let directory = tempfile::tempdir().unwrap();
    let (summary, out) = compiled(&[DEBIAN, DEBIAN_NEWER, OTHER_WITH_THAT_ID], directory.path());
    assert_eq!(summary.replaced, 1);
    let snapshot = Snapshot::open(&out).unwrap();
    assert_eq!(snapshot.lookup("Debian:12", "thing").unwrap()[0].affected.ranges[0].events[1].version, "3");
    assert_eq!(snapshot.lookup("Debian:11", "thing").unwrap(), []);
    assert_eq!(snapshot.lookup("FutureEco:1", "thing").unwrap().len(), 1);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let mut records = [PYTHON, DEBIAN, DEBIAN_NEWER, OTHER_WITH_THAT_ID, WITHDRAWN, PYTHON];
    let directory = tempfile::tempdir().unwrap();
    let (_, out) = compiled(&records, directory.path());
    let bytes = fs::read(&out).unwrap();
    for _ in 0..records.len() {
        records.rotate_left(1);
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (_, out) = one_thread.install(|| compiled(&records, directory.path()));
        assert!(fs::read(&out).unwrap() == bytes);
    }
}

#[test]
fn damage_never_panics_and_never_verifies() {
    let directory = tempfile::tempdir().unwrap();
    let (_, out) = compiled(&[PYTHON, DEBIAN, OTHER_WITH_THAT_ID], directory.path());
    let bytes = fs::read(&out).unwrap();
    let damaged = directory.path().join("damaged");
    let ask = |bytes: &[u8]| {
        // A mapped file must not change, so each try has a file of its own.
        let _ = fs::remove_file(&damaged);
        fs::write(&damaged, bytes).unwrap();
        if let Ok(snapshot) = Snapshot::open(&damaged) {
            assert!(snapshot.verify().is_err());
            for (ecosystem, name) in [("PyPI", "some-thing"), ("Debian:12", "thing"), ("FutureEco:1", "thing")] {
                let _ = snapshot.lookup(ecosystem, name);
            }
            let _ = snapshot.lenders("CVE-1");
        }
    };
    for place in 0..bytes.len() {
        for value in [0x00, 0x7f, 0x80, 0xff, bytes[place] ^ 1] {
            if bytes[place] != value {
                let mut bytes = bytes.clone();
                bytes[place] = value;
                ask(&bytes);
            }
        }
        ask(&bytes[..place]);
    }
}

#[test]
fn nothing_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(
        compile(&[directory.path().to_owned()], &directory.path().join("out")),
        Err(CompileError::Source(SourceError::Empty(_)))
    ));
    fs::write(directory.path().join("a.json"), "[]").unwrap();
    assert!(matches!(
        compile(&[directory.path().to_owned()], &directory.path().join("out")),
        Err(CompileError::Nothing)
    ));
}
