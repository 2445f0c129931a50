//! The published JSON Schema and the reports that are written: each valid, nothing in them undescribed, and the schema strict
//! enough to notice the smallest change.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use lazaret::door::source::PlatformChoice;
use lazaret::door::store::MemoryStore;
use lazaret::ecosystem::Ecosystem;
use lazaret::exposure::{ExposureKind, Severity};
use lazaret::inventory::GapKind;
use lazaret::package::Package;
use lazaret_coordinator::advisory::{Snapshot, compile};
use lazaret_coordinator::matching;
use lazaret_coordinator::pipeline;
use lazaret_coordinator::policy::{Ignore, Policy};
use lazaret_coordinator::report::build::{Context, Scanner, build};
use lazaret_coordinator::report::{
    BaseImage, ExecutableRow, ExecutableSummary, ExposureRow, ExposureState, GapRow, JSON_SCHEMA, Report, Reports,
    SCHEMA, SnapshotSummary, UnreadForm,
};
use lazaret_loadtest::sample;
use serde_json::{Map, Value, json};

mod embedded;
#[path = "report_schema/mutate.rs"]
mod mutate;

fn validator() -> Validator {
    let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "not a schema of draft 2020-12");
    jsonschema::validator_for(&schema).unwrap()
}

/// The sample image and its advisories, in a directory of their own.
struct Sample {
    scratch: tempfile::TempDir,
    snapshot: Snapshot,
}

impl Sample {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        sample::write_image(&scratch.path().join("image")).unwrap();
        let records = scratch.path().join("advisories");
        std::fs::create_dir(&records).unwrap();
        for record in sample::advisories() {
            std::fs::write(records.join(format!("{}.json", record["id"].as_str().unwrap())), record.to_string())
                .unwrap();
        }
        let snapshot = scratch.path().join("snapshot");
        compile(&[records], &snapshot).unwrap();
        Self { snapshot: Snapshot::open(&snapshot).unwrap(), scratch }
    }

    fn image(&self) -> std::path::PathBuf {
        self.scratch.path().join("image")
    }

    fn report(&self, policy: &Policy) -> Report {
        let (image, inventoried) = scan(&self.image());
        let contents = &inventoried.inventory.contents;
        let packages: Vec<&Package> = contents.packages.iter().map(|installed| &installed.package).collect();
        let matches = matching::find(&packages, contents.distro.as_ref(), &self.snapshot).unwrap();
        let snapshot = SnapshotSummary { digest: lazaret::digest::hex(&self.snapshot.digest()), date: None };
        let scanners = [Scanner::Packages, Scanner::Vuln, Scanner::Secret, Scanner::Malware];
        let reference = "sample";
        let matches = Ok(Some(matches));
        build(
            &image,
            &inventoried,
            Context { reference, scanners: &scanners, policy, snapshot: Some(snapshot), matches },
        )
    }

    /// The report where there is no snapshot.
    fn unmatched(&self) -> Report {
        let (image, inventoried) = scan(&self.image());
        let (policy, scanners) = (Policy::default(), [Scanner::Packages, Scanner::Vuln]);
        let matches = Err("there is no advisory snapshot".to_owned());
        let reference = "sample";
        build(
            &image,
            &inventoried,
            Context { reference, scanners: &scanners, policy: &policy, snapshot: None, matches },
        )
    }
}

fn scan(layout: &Path) -> (lazaret::image::Image, pipeline::Inventoried) {
    let reference = format!("oci:{}:{}", layout.display(), sample::TAG);
    let store = Arc::new(MemoryStore::default());
    let (mut images, _) = embedded::scan(&reference, PlatformChoice::Host, store, Vec::new());
    images.remove(0)
}

/// Changes one bit of a layer, which is known by the mark of gzip.
fn corrupt(layout: &Path) {
    let blobs = std::fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    let (path, mut bytes) = blobs
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .find(|(_, bytes)| bytes.starts_with(&[0x1f, 0x8b]))
        .unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// A policy under which some findings are suppressed, for ever and for a while.
fn forgiving() -> Policy {
    let ignore = |id: &str, expires: Option<&str>| Ignore {
        id: id.to_owned(),
        package: None,
        reason: "not reachable".to_owned(),
        expires: expires.map(str::to_owned),
    };
    Policy {
        ignores: vec![ignore("CVE-2023-4911", None), ignore("CVE-2019-14234", Some("2099-12-31"))],
        ..Policy::default()
    }
}

/// A report with every field that there can be, each optional one in at least one row.
fn full() -> Report {
    let mut report = Sample::new().report(&forgiving());
    report.image.base = Some(BaseImage { name: Some("docker.io/library/debian:12".into()), digest: None });
    report.distro.as_mut().unwrap().support_end = "2028-06-30".into();
    report.layers[0].error = Some("it does not have the digest that it should have".into());
    let package = &mut report.packages[0];
    package.owner = Some("libc6".into());
    package.licence = Some("MIT".into());
    package.module = Some("nodejs:18".into());
    package.registry = Some("https://example.org".into());
    report.findings[0].covers = vec!["CVE-2024-1".into()];
    let exposure = ExposureRow {
        kind: ExposureKind::Secret,
        rule: "rule".into(),
        title: "A key".into(),
        severity: Severity::High,
        layer: Some(0),
        fingerprint: Some("0".repeat(32)),
        instruction: None,
        path: "etc/key".into(),
        line: 1,
        column: 1,
        state: ExposureState::Deleted,
        until: Some(1),
        masked: "ab****yz".into(),
        rotate: "https://example.org".into(),
        dismissed: None,
    };
    report.dismissed.push(ExposureRow { layer: None, dismissed: Some("known".into()), ..exposure.clone() });
    let malware = ExposureRow { kind: ExposureKind::Malware, severity: Severity::Critical, ..exposure.clone() };
    report.exposures.extend([exposure, malware]);
    let reason = "cut short".to_owned();
    report.gaps.push(GapRow { kind: GapKind::Malformed, layer: Some(1), path: "etc/passwd".into(), reason });
    report.coverage.unread.push(UnreadForm { form: "go-binary".into(), files: 2 });
    report.coverage.ecosystems[0].owned = 1;
    report.coverage.ecosystems[0].declared = 1;
    report.coverage.declared_too = true;
    report.packages[0].cpe = Some("cpe:2.3:a:redis:redis:7.0:*:*:*:*:*:*:*".into());
    let mut declared = report.packages[0].clone();
    declared.source = report.packages.iter().find_map(|package| package.source.clone());
    report.declared.push(declared);
    report.findings[0].declared = true;
    report.findings[0].malicious = true;
    let row = ExecutableRow { path: "opt/tool".into(), layer: 1, bytes: 7 };
    report.executables =
        ExecutableSummary { files: 2, bytes: 9, unexplained_files: 1, unexplained_bytes: 7, unexplained: vec![row] };
    report
}

fn value(document: &impl serde::Serialize) -> Value {
    serde_json::to_value(document).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn real_reports_are_valid() {
    let validator = validator();
    let mut sample = Sample::new();
    let findings = value(&sample.report(&Policy::default()));
    assert_valid(&validator, &findings);
    assert_eq!(findings["verdict"], "findings");

    let suppressed = value(&sample.report(&forgiving()));
    assert_valid(&validator, &suppressed);
    assert!(suppressed["suppressed"].as_array().is_some_and(|rows| rows.len() >= 2));

    let incomplete = value(&sample.unmatched());
    assert_valid(&validator, &incomplete);
    assert_eq!(incomplete["verdict"], "incomplete");

    let complete = sample.report(&Policy::default());
    corrupt(&sample.image());
    let failed = sample.report(&Policy::default());
    assert_valid(&validator, &value(&failed));
    assert_eq!(value(&failed)["verdict"], "incomplete");
    assert!(failed.layers.iter().any(|layer| layer.error.is_some()));

    assert_valid(&validator, &value(&Reports { schema: SCHEMA, reports: &[complete, failed] }));
    assert_valid(&validator, &value(&Reports { schema: SCHEMA, reports: &[] }));

    // An image without anything in it.
    sample.scratch = tempfile::tempdir().unwrap();
    lazaret_loadtest::layout::write(&sample.image(), sample::TAG, &json!({}), Vec::new()).unwrap();
    let empty = value(&sample.report(&Policy::default()));
    assert_valid(&validator, &empty);
    assert_eq!((&empty["verdict"], &empty["distro"]), (&json!("clean"), &Value::Null));
}

#[test]
fn the_schema_notices_every_missing_and_every_unknown_field() {
    let validator = validator();
    let full = full();
    for document in [value(&full), value(&Reports { schema: SCHEMA, reports: std::slice::from_ref(&full) })] {
        assert_valid(&validator, &document);
        let mut objects = 0;
        for pointer in mutate::objects(&document) {
            if pointer.ends_with("/labels") {
                continue;
            }
            objects += 1;
            let mut changed = document.clone();
            mutate::object(&mut changed, &pointer).insert("unknown".into(), Value::Null);
            assert!(!validator.is_valid(&changed), "{pointer}: an unknown field passes");
            let fields: Vec<String> = mutate::object(&mut changed, &pointer).keys().cloned().collect();
            for field in fields.iter().filter(|field| *field != "unknown") {
                let mut changed = document.clone();
                mutate::object(&mut changed, &pointer).remove(field);
                let optional = mutate::OPTIONAL.contains(&(mutate::kind(&pointer).as_str(), field));
                assert_eq!(validator.is_valid(&changed), optional, "{pointer}/{field} removed");
                // A text, a number and a list are each wrong somewhere; an object is wrong everywhere.
                let mut changed = document.clone();
                mutate::object(&mut changed, &pointer).insert(field.clone(), json!({ "unknown": { "odd": 1 } }));
                assert!(!validator.is_valid(&changed), "{pointer}/{field} may be anything");
            }
        }
        assert!(objects > 60, "{objects}");
    }
}

/// What is described and never written would be a promise that nobody keeps.
#[test]
fn nothing_is_described_that_is_not_written() {
    let mut written = BTreeSet::new();
    for document in [value(&full()), value(&Reports { schema: SCHEMA, reports: &[full()] })] {
        for pointer in mutate::objects(&document).into_iter().filter(|pointer| !pointer.ends_with("/labels")) {
            let object: &Map<String, Value> = document.pointer(&pointer).unwrap().as_object().unwrap();
            written.extend(object.keys().map(|field| (mutate::kind(&pointer), field.clone())));
        }
    }
    for (kind, field) in mutate::OPTIONAL {
        assert!(written.contains(&((*kind).to_owned(), (*field).to_owned())), "{kind}: {field} is in no report");
    }
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let mut described = BTreeSet::new();
    for definition in schema["$defs"].as_object().unwrap().values() {
        described.extend(definition["properties"].as_object().into_iter().flat_map(Map::keys).cloned());
    }
    let written: BTreeSet<String> = written.into_iter().map(|(_, field)| field).collect();
    assert_eq!(described, written);
}

#[test]
fn words_are_all_listed() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    assert_eq!(schema["$id"], SCHEMA);
    assert_eq!(schema["$defs"]["ecosystem"]["enum"], value(&Ecosystem::ALL));
    assert_eq!(schema["$defs"]["severity"]["properties"]["level"]["enum"], value(&matching::Level::ALL));
    let kinds = [
        GapKind::Limit,
        GapKind::Malformed,
        GapKind::Unsupported,
        GapKind::UnresolvedLink,
        GapKind::Ambiguous,
        GapKind::Unread,
        GapKind::Version,
        GapKind::Advisories,
        GapKind::Distro,
        GapKind::Unreadable,
    ];
    assert_eq!(schema["$defs"]["gap"]["properties"]["kind"]["enum"], value(&kinds));
}
