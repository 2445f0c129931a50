//! A registry that drips, and one that changes its mind between a manifest and its blobs.

#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lazaret::image::Platform;
use lazaret_tests::support::farm::{FarmOptions, ServerOptions};
use lazaret_tests::support::hostile_registry::{Delivery, HostileRegistry, Reply, Seen};
use lazaret_tests::support::oci_fixture::{LAYER, MANIFEST, OciFixture};
use serde_json::Value;

use super::scene::Scene;

/// An image with one layer of `blocks` blocks of zeros, which is a tar without entries; the digests of its manifest and of
/// its layer.
fn image(fixture: &mut OciFixture, blocks: usize) -> [String; 2] {
    let tar = vec![0_u8; 512 * blocks];
    let layers = [(LAYER.to_owned(), tar.clone(), tar.clone())];
    let descriptor = fixture.image(&Platform::host().architecture, &layers);
    [descriptor["digest"].as_str().unwrap().to_owned(), lazaret::digest::Digest::of(&tar).to_string()]
}

/// What a good registry answers to a request for `digest`.
fn content(fixture: &OciFixture, seen: &Seen, digest: &str) -> Reply {
    match fixture.blobs.get(digest) {
        None => Reply::new(404, Vec::new()),
        Some(content) if seen.target.contains("/manifests/") => {
            Reply::new(200, content.clone()).with("Content-Type", MANIFEST).with("Docker-Content-Digest", digest)
        }
        Some(content) => Reply::content(seen, content),
    }
}

fn last(seen: &Seen) -> &str {
    let path = seen.target.split('?').next().unwrap();
    path.rsplit('/').next().unwrap()
}

fn scene(registry: &HostileRegistry, more: &[(&str, &str)]) -> Option<Scene> {
    Scene::start(&[], ServerOptions::default(), |options: &mut FarmOptions| {
        options.registries = vec![registry.address];
        options.environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    })
}

#[test]
fn g2_a_blob_that_drips_holds_its_slot_until_the_deadline_and_no_longer() {
    let mut fixture = OciFixture::default();
    let [slow, dripping] = image(&mut fixture, 60);
    let [good, _] = image(&mut fixture, 20);
    let drips = dripping.clone();
    let registry = HostileRegistry::start(move |seen, _| {
        let digest = match last(seen) {
            "slow" => &slow,
            "good" => &good,
            digest => digest,
        };
        let reply = content(&fixture, seen, digest);
        if digest == drips { reply.by(Delivery::Drip(Duration::from_secs(1))) } else { reply }
    });
    let more = [("LAZARET_DEADLINE", "4"), ("LAZARET_MAX_ATTEMPTS", "1"), ("LAZARET_SLOTS", "1")];
    let Some(scene) = scene(&registry, &more) else { return };
    let api = scene.farm.api();
    let job = api.submit(&[format!("docker://{}/a:slow", registry.address)]);
    let gets = || registry.seen().iter().filter(|seen| last(seen) == dripping).count();
    api.wait_for(&job, "the blob to drip", |_| gets() > 0);
    // It waits for the only slot.
    let (start, next) = (Instant::now(), api.submit(&[format!("docker://{}/a:good", registry.address)]));
    let ended = api.wait_for(&job, "the end", |job| job["status"] == "done");
    let took = start.elapsed();
    println!("the slot was free after {took:?}");
    assert!(took <= Duration::from_secs(10), "{took:?}");
    assert_eq!((&ended["incomplete"], gets()), (&1.into(), 1), "{ended}");
    let [result] = api.results(&job).try_into().unwrap();
    assert!(result["error"].as_str().unwrap().contains("longer than it may"), "{result}");
    assert_eq!(api.wait(&next)["incomplete"], 0);
    assert_eq!(scene.kept(&format!("layers/{dripping}/")).keys().filter(|key| !key.contains("/failed-")).count(), 0);
    scene.farm.verify_empty();
}

#[test]
fn g4_a_tag_that_moves_is_scanned_as_it_was_and_what_is_deleted_is_said_to_be_gone() {
    let mut fixture = OciFixture::default();
    let images = [20, 40, 60].map(|blocks| image(&mut fixture, blocks));
    let gone = Arc::new(AtomicBool::new(true));
    let (own, is_gone) = (images.clone(), Arc::clone(&gone));
    let registry = HostileRegistry::start(move |seen, before| {
        let [[old, _], [new, _], [deleted, blob]] = &own;
        match last(seen) {
            // It moves as soon as somebody has looked.
            "moving" => content(&fixture, seen, if before == 0 { old } else { new }),
            "deleted" => content(&fixture, seen, deleted),
            // The manifest is still there, its layer is not.
            digest if digest == blob && is_gone.load(Ordering::SeqCst) => Reply::new(404, Vec::new()),
            digest => content(&fixture, seen, digest),
        }
    });
    let Some(scene) = scene(&registry, &[]) else { return };
    let api = scene.farm.api();
    let reference = |tag: &str| format!("docker://{}/a:{tag}", registry.address);
    let references = ["moving", "deleted", "never"].map(reference);
    let job = api.submit(&references);
    let ended = api.wait_for(&job, "the end", |job| job["status"] == "done");
    assert_eq!((&ended["done"], &ended["incomplete"], &ended["failed"]), (&3.into(), &1.into(), &1.into()), "{ended}");
    let results = api.results(&job);
    let result = |tag: &str| results.iter().find(|row| row["reference"] == reference(tag)).unwrap();
    let report =
        |tag: &str| -> Value { serde_json::from_slice(&api.report(result(tag)["report"].as_str().unwrap())).unwrap() };
    let moving = report("moving");
    let of = images.iter().find(|[manifest, _]| moving["image"]["digest"] == **manifest);
    let [_, layer] = of.unwrap_or_else(|| panic!("of no manifest of ours: {}", moving["image"]));
    assert_eq!(moving["layers"][0]["digest"], **layer, "the layer of another image: {moving}");
    assert_eq!(moving["verdict"], "clean", "{moving}");

    let said = |tag: &str| result(tag)["error"].as_str().unwrap_or_default().to_owned();
    assert!(result("deleted")["status"] == "incomplete" && said("deleted").contains("has no blob"), "{results:?}");
    assert_eq!(report("deleted")["verdict"], "incomplete");
    assert!(result("never")["status"] == "failed" && said("never").contains("has no tag never"), "{results:?}");
    // What is gone is not asked for again and again.
    let asked = registry.seen().iter().filter(|seen| last(seen) == images[2][1]).count();
    assert!(asked <= 2, "{asked} requests for a blob that is gone");

    // That it was gone is not remembered.
    gone.store(false, Ordering::SeqCst);
    assert_eq!(api.wait(&api.submit(&[reference("deleted")]))["incomplete"], 0);
    scene.farm.verify_empty();
}
