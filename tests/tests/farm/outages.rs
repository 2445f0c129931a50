//! Servers that go away, forget, lie or refuse: a job takes longer, and says the same.

#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lazaret_tests::support::farm::{FarmOptions, PATIENCE, ServerOptions};
use lazaret_tests::support::http_fault::{Fault, Request};

use super::scene::{Ground, Scene, assert_alike, count};

fn slowly(options: &mut FarmOptions) {
    options.environment.push(("LAZARET_IMAGES_AT_ONCE".into(), "4".into()));
}

#[test]
fn redis_down_for_five_seconds_fails_no_image() {
    let ground = Ground::new(81, count(30, 200), Duration::from_millis(20));
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), slowly) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait_for(&job, "a job that has begun", |job| job["done"].as_u64() >= Some(1));
    let cache = scene.farm.servers.cache.as_mut().unwrap();
    cache.kill9();
    let down = Instant::now();
    let before = api.job(&job)["done"].as_u64();
    api.wait_for(&job, "progress without Redis", |job| job["done"].as_u64() > before);
    std::thread::sleep(Duration::from_secs(5).saturating_sub(down.elapsed()));
    scene.farm.servers.cache.as_mut().unwrap().restart();
    api.wait(&job);
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}

#[test]
fn garbage_in_place_of_every_cached_value_is_a_miss() {
    let ground = Ground::new(82, count(24, 100), Duration::ZERO);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), slowly) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    // The second half has layers of the first, and images of its own.
    let (first, second) = references.split_at(references.len() / 2);
    api.wait(&api.submit(first));
    let cache = scene.farm.servers.cache.as_ref().unwrap();
    let keys = cache.command(&["--scan", "--pattern", "*"]);
    let keys: Vec<&str> = keys.lines().filter(|key| !key.is_empty()).collect();
    assert!(keys.len() > 10, "{keys:?}");
    for key in &keys {
        cache.command(&["SET", key, "LZRTgarbage"]);
    }
    // A coordinator that has nothing in memory.
    let mut scene = scene;
    scene.farm.coordinators[0].restart();
    scene.farm.api().wait_until_ready();
    let job = api.submit(second);
    api.wait(&job);
    assert_eq!(ground.layer_gets(), [1], "what the cache had was still in the store");
    assert_alike(&api.reports(&job), &scene.local(second));
    scene.farm.verify_empty();
}

#[test]
fn k5_a_cache_too_small_for_claims_and_records_costs_no_more_than_a_few_layers() {
    let ground = Ground::new(85, count(40, 300), Duration::from_millis(5));
    let pair = |options: &mut FarmOptions| (options.coordinators, options.workers) = (2, 2);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), pair) else { return };
    let references = ground.references();
    let cache = scene.farm.servers.cache.as_ref().unwrap();
    let number = |section: &str, name: &str| -> u64 {
        let info = cache.command(&["INFO", section]);
        info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
    };
    cache.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    // The same list by both, which only claims keep from doing everything twice.
    let apis = &scene.farm.apis;
    let jobs: Vec<String> = apis.iter().map(|api| api.submit(&references)).collect();
    // Always less room than is taken: whatever it is given, something else has to go.
    while jobs.iter().any(|job| !matches!(apis[0].job(job)["status"].as_str(), Some("done" | "failed"))) {
        let taken = number("memory", "used_memory:");
        cache.command(&["CONFIG", "SET", "maxmemory", &taken.saturating_sub(8 << 10).to_string()]);
    }
    for job in &jobs {
        apis[0].wait(job);
    }
    let evicted = number("stats", "evicted_keys:");
    let (extra, layers) = (ground.extra_gets(), ground.layers().len());
    println!("{evicted} keys evicted; {extra} of {layers} layers fetched again");
    assert!(evicted > layers as u64 / 4, "only {evicted} keys were evicted");
    assert!(extra as usize <= layers.div_ceil(100), "{extra} of {layers} layers fetched again");
    let wanted = scene.local(&references);
    for job in &jobs {
        assert_alike(&apis[0].reports(job), &wanted);
    }
    cache.command(&["CONFIG", "SET", "maxmemory", "0"]);
    scene.farm.verify_empty();
}

#[test]
fn s3_that_fails_now_and_then_loses_nothing() {
    let fails = |number: usize| match number % 20 {
        3 => Some(Fault::Answer(500, "InternalError")),
        9 => Some(Fault::Answer(503, "SlowDown")),
        15 => Some(Fault::Reset),
        18 => Some(Fault::LoseAnswer),
        _ => None,
    };
    let ground = Ground::new(83, count(24, 200), Duration::ZERO);
    // What is asked while the servers are still looked at is answered in peace.
    let storm = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&storm);
    let fails = move |_: &Request, number: usize| own.load(Ordering::Relaxed).then(|| fails(number)).flatten();
    let servers = ServerOptions { s3_faults: Some(Box::new(fails)), ..ServerOptions::default() };
    let Some(scene) = Scene::start(&[&ground], servers, |options| options.workers = 2) else { return };
    storm.store(true, Ordering::Relaxed);
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait_for(&job, "the end", |job| job["status"] == "done");
    storm.store(false, Ordering::Relaxed);
    api.wait(&job);
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}

#[test]
fn a_worker_that_s3_refuses_pauses_says_so_and_asks_at_most_once_a_second() {
    let ground = Ground::new(84, 12, Duration::from_millis(10));
    let refused = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&refused);
    // What a worker writes; a coordinator writes elsewhere.
    let is_of_worker = |request: &Request| request.method == "PUT" && request.target.contains("/layers/");
    let faults = move |request: &Request, _: usize| {
        (own.load(Ordering::Relaxed) && is_of_worker(request)).then_some(Fault::Answer(403, "AccessDenied"))
    };
    let servers = ServerOptions { s3_faults: Some(Box::new(faults)), ..ServerOptions::default() };
    let Some(scene) = Scene::start(&[&ground], servers, slowly) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    refused.store(true, Ordering::Relaxed);
    let job = api.submit(&references);
    let worker = lazaret_tests::support::farm::Api(scene.farm.worker_addresses[0]);
    let start = Instant::now();
    while worker.readiness().0 {
        assert!(start.elapsed() < PATIENCE, "the worker stays ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = worker.readiness().1;
    assert!(said.contains("403") || said.contains("refuse") || said.contains("denied"), "{said}");
    let writes = || {
        let seen = scene.farm.servers.faults.as_ref().map(|faults| faults.seen()).unwrap_or_default();
        seen.iter().filter(|request| is_of_worker(request)).count()
    };
    let (before, window) = (writes(), Duration::from_secs(4));
    std::thread::sleep(window);
    let during = writes() - before;
    assert!(during <= 5, "{during} attempts in {window:?}");
    assert!(!worker.readiness().0 && api.job(&job)["status"] == "running");
    refused.store(false, Ordering::Relaxed);
    api.wait(&job);
    worker.wait_until_ready();
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}
