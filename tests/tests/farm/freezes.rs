//! Whoever stands still, or is thought to be at work and is not: somebody else does it, and what the sleeper says on waking
//! changes nothing.

#![expect(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]

use std::time::{Duration, Instant};

use lazaret_loadtest::registry::{RegistryOptions, Throttle};
use lazaret_tests::support::amqp_fault::AmqpFault;
use lazaret_tests::support::farm::{PATIENCE, ServerOptions, Servers};

use super::scene::{Ground, Scene, assert_alike, count};

#[test]
fn w2_a_worker_frozen_within_a_layer_is_replaced_and_harms_nobody_when_it_wakes() {
    // So slow that a layer takes a second or two: whoever is stopped between two answers is stopped within a layer.
    let latency = Duration::from_millis(1_500);
    let throttle = Throttle { latency, ..Throttle::default() };
    let ground = Ground::with(77, count(6, 24), RegistryOptions { throttle, ..RegistryOptions::default() });
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), |_| {}) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait_for(&job, "layers that are being fetched", |_| ground.layer_gets().contains(&1));
    std::thread::sleep(latency / 2);
    scene.farm.workers[0].signal("STOP");
    let frozen = Instant::now();
    scene.farm.add_worker();
    api.wait(&job);
    let took = frozen.elapsed();
    let (reports, extra) = (api.reports(&job), ground.extra_gets());
    println!("the job was over {took:?} after a worker froze; layers fetched again: {extra}");
    assert!(extra > 0, "it had nothing in hand when it was stopped");
    // Three heartbeats of ten seconds and five; and then what there is to do.
    assert!(took <= Duration::from_secs(35 + 25), "{took:?}");

    let sleeper = &scene.farm.workers[0];
    let before = sleeper.said();
    sleeper.signal("CONT");
    let woken = Instant::now();
    while !sleeper.said()[before.len()..].contains("connected to the broker again") {
        assert!(woken.elapsed() < PATIENCE, "it does not notice: {}", &sleeper.said()[before.len()..]);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(api.reports(&job), reports, "what it did late has changed a report");
    assert_alike(&reports, &scene.local(&references));
    // Both work, and find all of it done.
    let again = api.wait(&api.submit(&references));
    assert_eq!(again["ledger"]["layers_analysed"], 0, "{again}");
    scene.farm.verify_empty();
}

#[test]
fn r6_deliveries_that_the_broker_has_lost_sight_of_are_published_again() {
    const PATIENCE: Duration = Duration::from_secs(10);
    const KEPT: usize = 2;
    let ground = Ground::new(78, count(8, 40), Duration::ZERO);
    let Some(servers) = Servers::start(ServerOptions::default()) else { return };
    let fault = AmqpFault::start(servers.broker.address, "lazaret.bulk", KEPT);
    let queue = servers.broker.url_by(fault.address);
    let mut scene = Scene::on(servers, &[&ground], |options| {
        options.environment.push(("LAZARET_QUEUE".into(), queue));
        options.environment.push(("LAZARET_PATIENCE".into(), PATIENCE.as_secs().to_string()));
        // A slot that waits for what never comes takes nothing else: there have to be more.
        options.environment.push(("LAZARET_SLOTS".into(), "5".into()));
    });
    let (api, references) = (scene.farm.api(), ground.references());
    let start = Instant::now();
    let job = api.submit(&references);
    api.wait(&job);
    let took = start.elapsed();
    println!("{took:?} with {KEPT} deliveries that nobody got");
    assert_eq!(fault.kept(), KEPT);
    assert!(took >= PATIENCE, "{took:?}: nothing was missing");
    assert!(took <= PATIENCE + Duration::from_secs(30), "{took:?}");
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_alike(&api.reports(&job), &scene.local(&references));
    // To the broker they are still at work with this worker, for as long as it lives.
    scene.farm.workers[0].restart();
    scene.farm.verify_empty();
}
