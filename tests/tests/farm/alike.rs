//! The farm reports what a scan on one machine reports, byte for byte, and what is in the images.

#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use lazaret_coordinator::report::{FindingRow, Report};
use lazaret_loadtest::fleet::Fleet;
use lazaret_loadtest::registry::{RegistryOptions, SyntheticRegistry};
use lazaret_tests::support::farm::ServerOptions;

use super::scene::{Ground, Scene, assert_alike, count};

#[test]
fn reports_on_synthetic_images_are_those_of_a_local_scan_and_of_the_oracle() {
    let ground = Ground::new(31, count(40, 300), Duration::ZERO);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), |options| options.workers = 2) else { return };
    let references = ground.references();
    let api = scene.farm.api();
    let job = api.submit(&references);
    api.wait(&job);
    let reports = api.reports(&job);
    assert_alike(&reports, &scene.local(&references));
    for (image, reference) in (0..).zip(&references) {
        assert_told(&ground.fleet, image, &serde_json::from_slice(&reports[reference]).unwrap());
    }
    // What is compared above was read and written once more on the way; these are the very bytes.
    for reference in references.iter().step_by(references.len() / 3) {
        assert!(reports[reference] == scene.local_alone(reference), "{reference}");
    }
    scene.farm.verify_empty();
}

#[test]
fn reports_on_the_corpus_are_those_of_a_local_scan() {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(PathBuf::from) else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return;
    };
    let registry = SyntheticRegistry::from_layout(&corpus.join("images"), RegistryOptions::default()).unwrap();
    let address = registry.address();
    let change = |options: &mut lazaret_tests::support::farm::FarmOptions| options.registries = vec![address];
    let Some(scene) = Scene::start(&[], ServerOptions::default(), change) else { return };
    let references: Vec<String> = registry.references().map(|reference| format!("docker://{reference}")).collect();
    let api = scene.farm.api();
    let job = api.submit(&references);
    api.wait_for(&job, "the end", |job| job["status"] == "done");
    // What does not fit this machine's platform has a report neither here nor there.
    let results = api.results(&job);
    assert_eq!(results.len(), references.len());
    let with_report = results.iter().filter_map(|result| {
        let reference = result["reference"].as_str()?.to_owned();
        Some((reference, api.report(result["report"].as_str()?)))
    });
    let reports = with_report.collect();
    assert_alike(&reports, &scene.local(&references));
    eprintln!("{} of {} images of the corpus have the same report", reports.len(), references.len());
    assert!(reports.len() >= 20, "only {} images", reports.len());
    scene.farm.verify_empty();
}

/// Holds a report against what the fleet knows: the same packages with their introducing layers, each finding, and no other.
fn assert_told(fleet: &Fleet, image: u32, report: &Report) {
    let name = &report.image.reference;
    assert!(report.coverage.complete, "{name} is not complete");
    let packages =
        report.packages.iter().map(|package| (package.name.as_str(), package.version.as_str(), package.layer));
    let expected = fleet.expected(image);
    let wanted = expected.packages.iter().map(|(package, layer)| (package.name, package.version, *layer));
    assert_eq!(packages.collect::<BTreeSet<_>>(), wanted.collect::<BTreeSet<_>>(), "{name}");
    let mut told = BTreeSet::new();
    for wanted in fleet.expected_findings(image, 1) {
        let is_it = |row: &FindingRow| {
            (row.name.as_str(), row.version.as_str()) == (wanted.package, wanted.version)
                && row.records.iter().chain(&row.ids).any(|id| id == wanted.advisory)
        };
        let row = report.findings.iter().position(is_it).unwrap_or_else(|| panic!("{name}: {wanted:?} is missing"));
        assert!(report.findings[row].fixed.is_some(), "{name}: {wanted:?} has no fix");
        told.insert(row);
    }
    // Several records about one vulnerability are one row; no row is about nothing that is known.
    assert_eq!(told.len(), report.findings.len(), "{name}: findings that nobody expects");
}
