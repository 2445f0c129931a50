//! Registries that throttle, and blobs that are not what their digest says.

use std::fs;

use lazaret_loadtest::registry::{RegistryOptions, SyntheticRegistry, Throttle};
use lazaret_tests::support::farm::{FarmOptions, ServerOptions};
use lazaret_tests::support::oci_fixture::{LAYER, OciFixture};

use super::scene::{Ground, Scene, assert_alike, count};

#[test]
fn a_registry_that_answers_429_is_waited_for() {
    let throttle = Throttle { requests_per_second: Some(12), ..Throttle::default() };
    let options = RegistryOptions { throttle, ..RegistryOptions::default() };
    let ground = Ground::with(91, count(12, 100), options);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), |options| options.workers = 2) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait(&job);
    let counts = ground.registry.counts();
    assert!(counts.refused > 0, "nobody was refused: {counts:?}");
    assert_eq!(ground.layer_gets(), [1], "{counts:?}");
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}

#[test]
fn a_blob_that_is_not_what_its_digest_says_is_kept_nowhere() {
    let layout = tempfile::tempdir().unwrap();
    // Bytes that are a tar: two blocks of zeros, and more of them for each layer.
    let tar = |blocks: usize| vec![0_u8; 512 * blocks];
    let mut fixture = OciFixture::default();
    let layers = [20, 40, 60].map(|blocks| (LAYER.to_owned(), tar(blocks), tar(blocks)));
    let digests = layers.clone().map(|(_, blob, _)| lazaret::digest::Digest::of(&blob));
    let architecture = lazaret::image::Platform::host().architecture;
    let image = fixture.image(&architecture, &layers);
    fixture.tag("spoilt:1", &image);
    fixture.write(layout.path());
    let at = |index: usize| layout.path().join("blobs/sha256").join(digests[index].hex());
    let mut corrupt = tar(20);
    corrupt[700] ^= 1;
    fs::write(at(0), &corrupt).unwrap();
    fs::write(at(1), tar(30)).unwrap();

    let registry = SyntheticRegistry::from_layout(layout.path(), RegistryOptions::default()).unwrap();
    let change = |options: &mut FarmOptions| {
        options.registries = vec![registry.address()];
        // That it may be better the next time is not what this is about.
        options.environment.push(("LAZARET_MAX_ATTEMPTS".into(), "1".into()));
    };
    let Some(scene) = Scene::start(&[], ServerOptions::default(), change) else { return };
    let api = scene.farm.api();
    let references: Vec<String> = registry.references().map(|reference| format!("docker://{reference}")).collect();
    let job = api.submit(&references);
    let ended = api.wait_for(&job, "the end", |job| job["status"] == "done");
    assert_eq!((&ended["incomplete"], &ended["ledger"]["layers_failed"]), (&1.into(), &2.into()), "{ended}");
    let [result] = api.results(&job).try_into().unwrap();
    let error = result["error"].as_str().unwrap();
    assert!(result["status"] == "incomplete" && error.contains("layer 0") && error.contains("layer 1"), "{result}");
    assert!(!error.contains("layer 2"), "{result}");
    let report: serde_json::Value = serde_json::from_slice(&api.reports(&job)[&references[0]]).unwrap();
    assert_eq!(report["verdict"], "incomplete");

    let inventories = |index: usize| {
        let kept = scene.kept(&format!("layers/{}/", digests[index]));
        kept.keys().filter(|key| !key.contains("/failed-")).count()
    };
    assert_eq!([0, 1, 2].map(inventories), [0, 0, 1], "inventories of the layers");
    let cached = scene.farm.servers.cache.as_ref().unwrap().command(&["--scan", "--pattern", "lazaret:layers/*"]);
    assert!(!cached.contains(&digests[0].to_string()) && !cached.contains(&digests[1].to_string()), "{cached}");

    // A failure is not remembered: the registry is well again, and so is the next report.
    fs::write(at(0), tar(20)).unwrap();
    fs::write(at(1), tar(40)).unwrap();
    let again = api.submit(&references);
    let ended = api.wait(&again);
    assert_eq!((&ended["incomplete"], &ended["ledger"]["layers_analysed"]), (&0.into(), &2.into()), "{ended}");
    assert_eq!([0, 1, 2].map(inventories), [1, 1, 1]);
    scene.farm.verify_empty();
}
