//! Each distinct layer is fetched and analysed once: by whichever worker, whatever the cache forgets.

use std::time::Duration;

use lazaret_tests::support::farm::ServerOptions;

use super::scene::{Ground, Scene, count};

#[test]
fn four_workers_fetch_each_blob_once_and_the_ledger_says_so() {
    let ground = Ground::new(41, count(40, 200), Duration::ZERO);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), |options| options.workers = 4) else { return };
    let (api, references, layers) = (scene.farm.api(), ground.references(), ground.layers());
    let configurations: u64 = (0..ground.fleet.len()).map(|image| ground.fleet.files(image).config.len() as u64).sum();
    let job = api.wait(&api.submit(&references));
    let counts = ground.registry.counts();
    assert_eq!(counts.most_gets_of_one_blob, 1, "{counts:?}");
    assert_eq!(counts.distinct_blobs, (layers.len() + references.len()) as u64, "{counts:?}");
    let (ledger, bytes) = (&job["ledger"], layers.values().sum::<u64>());
    assert_eq!(ledger["layers_analysed"], layers.len(), "{ledger}");
    assert_eq!((&ledger["layers_reused"], &ledger["layers_failed"]), (&0.into(), &0.into()), "{ledger}");
    assert_eq!(ledger["bytes_pulled"], bytes, "{ledger}");
    assert_eq!(counts.blob_bytes, bytes + configurations, "{counts:?}");
    assert_eq!(ledger["requests"], counts.requests, "{ledger} and {counts:?}");
    scene.farm.verify_empty();

    // The next night, and the one after that with an empty cache.
    let cache = scene.farm.servers.cache.as_ref().unwrap();
    for flush in [false, true] {
        ground.registry.reset_counts();
        if flush {
            cache.flush();
        }
        let again = api.wait(&api.submit(&references));
        let counts = ground.registry.counts();
        assert_eq!((counts.blob_gets, counts.blob_bytes), (0, 0), "flushed: {flush}: {counts:?}");
        assert_eq!(again["ledger"]["layers_analysed"], 0, "{again}");
        scene.farm.verify_empty();
    }
}

#[test]
fn without_a_cache_each_blob_is_fetched_once_all_the_same() {
    let ground = Ground::new(42, count(30, 200), Duration::ZERO);
    let servers = ServerOptions { without_cache: true, ..ServerOptions::default() };
    let Some(scene) = Scene::start(&[&ground], servers, |options| options.workers = 2) else { return };
    let api = scene.farm.api();
    let job = api.submit(&ground.references());
    api.wait(&job);
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_eq!(api.reports(&job).len(), ground.fleet.len() as usize);
    scene.farm.verify_empty();
    ground.registry.reset_counts();
    api.wait(&api.submit(&ground.references()));
    assert_eq!(ground.registry.counts().blob_gets, 0);
}
