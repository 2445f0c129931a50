//! Findings on the corpus's real advisories equal its truth, record by record, for packages taken from its truth.

#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::{Package, SourcePackage};
use lazaret_coordinator::advisory::{Snapshot, compile};
use lazaret_coordinator::matching;
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return None;
    };
    let corpus = PathBuf::from(corpus);
    assert!(corpus.is_dir(), "LAZARET_CORPUS is set, but {} is no directory", corpus.display());
    Some(corpus)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The packages of a truth file with the place that the expectation calls `where`.
fn packages(truth: &Value) -> Vec<(String, Package)> {
    let mut packages = Vec::new();
    let list = |kind: &str| truth["packages"][kind].as_array().cloned().unwrap_or_default();
    for entry in list("apk") {
        let mut package = Package::new(Ecosystem::Apk, text(&entry, "name"), text(&entry, "version"));
        package.source = Some(SourcePackage { name: text(&entry, "origin"), version: text(&entry, "version") });
        packages.push((text(&entry, "name"), package));
    }
    for entry in list("dpkg") {
        let mut package = Package::new(Ecosystem::Deb, text(&entry, "name"), text(&entry, "version"));
        package.source = Some(SourcePackage { name: text(&entry, "source"), version: text(&entry, "source_version") });
        packages.push((text(&entry, "name"), package));
    }
    for entry in list("rpm") {
        let release = format!("{}-{}", text(&entry, "version"), text(&entry, "release"));
        let epoch = entry["epoch"].as_str().map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let mut package = Package::new(Ecosystem::Rpm, text(&entry, "name"), format!("{epoch}{release}"));
        package.module = entry["modularity"].as_str().map(str::to_owned);
        if let Some(source) = entry["source_rpm"].as_str().and_then(|source| source.strip_suffix(".src.rpm")) {
            let mut parts = source.rsplitn(3, '-');
            if let (Some(release), Some(version), Some(name)) = (parts.next(), parts.next(), parts.next()) {
                package.source = Some(SourcePackage { name: name.to_owned(), version: format!("{version}-{release}") });
            }
        }
        packages.push((text(&entry, "name"), package));
    }
    for (path, crates) in truth["packages"]["cargo_auditable"].as_object().into_iter().flatten() {
        for entry in crates.as_array().into_iter().flatten() {
            packages.push((path.clone(), Package::new(Ecosystem::Cargo, text(entry, "name"), text(entry, "version"))));
        }
    }
    packages
}

fn os_release(truth: &Value) -> Option<OsRelease> {
    let os = truth["os"].as_object()?;
    let mut release = OsRelease::default();
    if let Some(file) = os.get("os_release").and_then(Value::as_str) {
        for line in file.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim_matches('"').to_owned();
            match key {
                "ID" => release.id = value,
                "VERSION_ID" => release.version_id = value,
                "PRETTY_NAME" => release.pretty_name = value,
                "CPE_NAME" => release.cpe_name = value,
                _ => {}
            }
        }
    } else {
        release.id = text(&truth["os"], "id");
        release.version_id = text(&truth["os"], "version_id");
    }
    Some(release)
}

/// The truth compares names and versions alone. We know better for one package: nodejs of the module stream nodejs:16 is not
/// what an erratum for nodejs:18 updates, so those differences are meant.
fn is_of_another_stream(packages: &[&Package], missing: &(String, String), snapshot: &Snapshot) -> bool {
    let (name, id) = missing;
    let package = packages.iter().find(|package| package.name == *name).unwrap();
    let stream = package.module.as_deref().map(|label| label.splitn(3, ':').take(2).collect::<Vec<_>>().join(":"));
    let hits = snapshot.lookup("AlmaLinux:9", name).unwrap();
    let mut entries = hits.iter().filter(|hit| hit.advisory.id == *id).peekable();
    entries.peek().is_some()
        && stream.is_some()
        && entries.all(|hit| hit.affected.module.as_deref().is_some_and(|module| Some(module) != stream.as_deref()))
}

#[test]
fn findings_equal_the_truth() {
    let Some(corpus) = corpus() else { return };
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("corpus.snapshot");
    let summary = compile(&[corpus.join("osv"), corpus.join("osv-converted")], &out).unwrap();
    assert_eq!(summary.bad_records, []);
    let snapshot = Snapshot::open(&out).unwrap();
    snapshot.verify().unwrap();

    let mut truths: Vec<PathBuf> =
        fs::read_dir(corpus.join("truth/vulns")).unwrap().map(|entry| entry.unwrap().path()).collect();
    truths.sort();
    let mut compared = 0;
    let mut other_streams = 0;
    let mut differences = Vec::new();
    for path in truths {
        let expected: BTreeSet<(String, String)> = json(&path)["expected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (text(finding, "where"), text(finding, "id")))
            .collect();
        let truth = json(&corpus.join("truth").join(path.file_name().unwrap()));
        let packages = packages(&truth);
        let list: Vec<&Package> = packages.iter().map(|(_, package)| package).collect();
        let matches = matching::find(&list, os_release(&truth).as_ref(), &snapshot).unwrap();
        for open in &matches.undecided {
            differences.push(format!("{}: undecided {open:?}", path.display()));
        }
        let mut found = BTreeSet::new();
        for finding in &matches.findings {
            for id in &finding.records {
                found.insert((packages[finding.package].0.clone(), id.clone()));
            }
        }
        eprintln!("{}: {} expected, {} found, {:?}", path.display(), expected.len(), found.len(), matches.coverage);
        let image = path.file_stem().unwrap().to_string_lossy();
        for missing in expected.difference(&found) {
            if is_of_another_stream(&list, missing, &snapshot) {
                other_streams += 1;
            } else {
                differences.push(format!("{image}: missing {missing:?}"));
            }
        }
        differences.extend(found.difference(&expected).map(|extra| format!("{image}: extra {extra:?}")));
        compared += expected.len();
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert_eq!(other_streams, 28, "explained by the module stream");
    assert!(compared > 1000, "only {compared} findings compared");
}

#[test]
fn the_corpus_gives_the_same_bytes_in_any_order_and_on_any_number_of_threads() {
    let Some(corpus) = corpus() else { return };
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("corpus.snapshot");
    let mut sources = [corpus.join("osv"), corpus.join("osv-converted")];
    let digest = compile(&sources, &out).unwrap().digest;
    let bytes = fs::read(&out).unwrap();
    sources.reverse();
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one_thread.install(|| compile(&sources, &out)).unwrap().digest, digest);
    assert!(fs::read(&out).unwrap() == bytes);
}
