//! Laws of the fleet.

use std::collections::HashSet;

use super::*;

fn small(seed: u64) -> Fleet {
    Fleet::new(FleetOptions { seed, scale: 0.000_01, ..FleetOptions::of(40) })
}

fn digests(fleet: &Fleet) -> Vec<Digest> {
    (0..fleet.len()).map(|image| fleet.files(image).manifest_digest).collect()
}

#[test]
fn one_seed_is_one_fleet_in_whatever_order_it_is_asked() {
    let (first, again) = (small(7), small(7));
    let backwards: Vec<_> = (0..again.len()).rev().map(|image| again.files(image)).collect();
    let forwards: Vec<_> = (0..first.len()).map(|image| first.files(image)).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    let other: HashSet<Digest> = digests(&small(8)).into_iter().collect();
    assert!(forwards.iter().all(|files| !other.contains(&files.manifest_digest)));
    let distinct: HashSet<Digest> = forwards.iter().map(|files| files.manifest_digest).collect();
    assert_eq!(distinct.len(), forwards.len());
}

#[test]
fn the_bytes_are_those_of_the_first_day() {
    let fleet = small(1);
    let layer = fleet.facts(LayerId::Base { base: 0 });
    assert_eq!(
        layer.diff_id,
        FIRST_BASE.parse().unwrap(),
        "a seed means other images now: say so to whoever keeps figures"
    );
}

const FIRST_BASE: &str = "sha256:47175acca6203d287acd110d4c6e3e0410e9de0a01b3fe17a2ceff5f5968f20f";

#[test]
fn a_blob_is_what_its_manifest_says_also_when_nobody_asked_for_the_manifest() {
    let fleet = small(3);
    let layer = *fleet.layers(11).last().unwrap();
    let (facts, blob) = (fleet.facts(layer), fleet.blob(layer));
    assert_eq!((Digest::of(&blob), blob.len() as u64), (facts.digest, facts.size));
    let unasked = small(3);
    let (repository, _) = unasked.name(11);
    assert_eq!(unasked.blob_by_digest(&repository, &facts.digest), Some(blob));
    assert_eq!(unasked.blob_by_digest(&repository, &Digest::of(b"nothing")), None);
    let files = fleet.files(11);
    assert_eq!(small(3).manifest_by_digest(&repository, &files.manifest_digest), Some(files.manifest));
}

#[test]
fn names_lead_to_their_images() {
    let fleet = small(5);
    for image in 0..fleet.len() {
        let (repository, tag) = fleet.name(image);
        assert_eq!(fleet.find(&repository, &tag), Some(image), "{repository}:{tag}");
    }
    assert_eq!(fleet.find("payments/nothing", "1.0.0"), None);
    assert_eq!(fleet.repositories().count(), 5);
}

#[test]
fn images_share_layers_as_told_and_differ_in_what_they_hold() {
    let fleet = Fleet::new(FleetOptions { scale: 0.000_01, ..FleetOptions::of(400) });
    let layers: Vec<LayerId> = (0..fleet.len()).flat_map(|image| fleet.layers(image)).collect();
    let distinct: HashSet<&LayerId> = layers.iter().collect();
    let unique = distinct.len() as f64 / layers.len() as f64;
    assert!((0.2..0.35).contains(&unique), "{unique}");
    let findings: HashSet<_> = (0..fleet.len()).map(|image| fleet.expected_findings(image, 1)).collect();
    assert!(findings.len() > 390, "{} different lists of findings", findings.len());
    let news = (0..fleet.len()).filter(|&image| {
        let (first, second) = (fleet.expected_findings(image, 1), fleet.expected_findings(image, 2));
        assert!(first.iter().all(|finding| second.contains(finding)));
        second.len() > first.len()
    });
    assert!(news.count() > 350, "a second night finds more");
}

#[test]
fn every_kind_of_change_comes_up_and_moves_the_introducing_layer() {
    let fleet = small(1);
    let all: Vec<recipe::Recipe> = (0..fleet.len()).flat_map(|image| fleet.recipes(image)).collect();
    let has = |wanted: fn(&recipe::Operation) -> bool| all.iter().any(|recipe| recipe.operations.iter().any(wanted));
    assert!(has(|operation| matches!(operation, recipe::Operation::Remove(_))));
    assert!(has(|operation| matches!(operation, recipe::Operation::Opaque(_))));
    for image in 0..fleet.len() {
        let expected = fleet.expected(image);
        assert!(expected.packages.is_sorted());
        let layers = fleet.layers(image).len() as u32;
        assert!(expected.packages.iter().all(|(_, layer)| *layer < layers));
        assert!(expected.packages.iter().any(|(_, layer)| *layer == 0));
        assert!(expected.packages.iter().any(|(_, layer)| *layer > 0));
    }
}

#[test]
fn a_package_that_was_away_was_introduced_when_it_came_back() {
    let package = FleetPackage {
        ecosystem: lazaret::ecosystem::Ecosystem::PyPi,
        name: "jinja2",
        version: "2.10",
        source: "jinja2",
    };
    let layer = |operations| recipe::Recipe { created_by: String::new(), operations, payload: 0, number: 0 };
    let install = || layer(vec![recipe::Operation::Install(package)]);
    let remove = || layer(vec![recipe::Operation::Remove(recipe::place(&package))]);
    let since = |layers: &[recipe::Recipe]| expected::introduced(layers).first().map(|(_, layer)| *layer);
    assert_eq!(since(&[install(), install(), layer(vec![])]), Some(0));
    assert_eq!(since(&[install(), remove(), layer(vec![]), install()]), Some(3));
    assert_eq!(since(&[install(), remove()]), None);
}
