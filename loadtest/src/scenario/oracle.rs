//! Whether a report says what the fleet knows of an image.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::fleet::{ExpectedFinding, Fleet};

#[derive(Deserialize)]
struct Report {
    packages: Vec<Package>,
    findings: Vec<Finding>,
    coverage: Coverage,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    layer: u32,
}

#[derive(Deserialize)]
struct Finding {
    ids: Vec<String>,
    records: Vec<String>,
    name: String,
    version: String,
    fixed: Option<String>,
}

#[derive(Deserialize)]
struct Coverage {
    complete: bool,
}

/// What is wrong with the report on `image`; nothing if it is right. Packages have to be the same with their introducing
/// layers; findings the same, by the records that matched and the version that fixes them.
pub(super) fn difference(fleet: &Fleet, image: u32, night: u32, report: &[u8]) -> Option<String> {
    let report: Report = match serde_json::from_slice(report) {
        Ok(report) => report,
        Err(error) => return Some(format!("it does not read: {error}")),
    };
    if !report.coverage.complete {
        return Some("it is not complete".to_owned());
    }
    let packages = report.packages.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.layer));
    let expected = fleet.expected(image);
    let wanted = expected.packages.iter().map(|(p, layer)| (p.name, p.version, *layer));
    first_difference("packages", packages.collect(), wanted.collect())
        .or_else(|| findings(&report, &fleet.expected_findings(image, night)))
}

fn first_difference<T: Ord + std::fmt::Debug>(what: &str, found: BTreeSet<T>, wanted: BTreeSet<T>) -> Option<String> {
    let missing = wanted.difference(&found).next().map(|row| format!("{what}: {row:?} is missing"));
    missing.or_else(|| found.difference(&wanted).next().map(|row| format!("{what}: {row:?} is too much")))
}

/// Each expected finding is a record that matched a package; several records about one CVE may be one row.
fn findings(report: &Report, expected: &[ExpectedFinding]) -> Option<String> {
    let mut rows: BTreeMap<(&str, &str, &str), Vec<&Finding>> = BTreeMap::new();
    for row in &report.findings {
        for record in row.records.iter().chain(&row.ids) {
            rows.entry((record, &row.name, &row.version)).or_default().push(row);
        }
    }
    let mut explained = BTreeSet::new();
    for wanted in expected {
        let key = (wanted.advisory, wanted.package, wanted.version);
        let Some(row) = rows.get(&key).and_then(|rows| rows.first()) else {
            return Some(format!("findings: {wanted:?} is missing"));
        };
        if row.fixed.is_none() {
            return Some(format!("findings: {wanted:?} has no version that fixes it"));
        }
        explained.insert(std::ptr::from_ref::<Finding>(row));
    }
    let unexplained = report.findings.iter().find(|row| !explained.contains(&std::ptr::from_ref::<Finding>(row)));
    unexplained.map(|row| format!("findings: {:?} of {} {} is too much", row.ids, row.name, row.version))
}
