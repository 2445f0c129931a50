//! Whoever is killed, stopped or told twice: nothing is lost, and every report is the one of a calm run.

use std::time::Duration;

use lazaret::door::queue::{self, QueueSettings};
use lazaret::image::Descriptor;
use lazaret::task::{Class, Place, Task};
use lazaret_coordinator::local::Searching;
use lazaret_tests::support::farm::{FarmOptions, ServerOptions};
use serde_json::Value;

use super::scene::{Ground, Scene, assert_alike, count};

/// Images that are looked at one after the other, so that there is something left to interrupt.
fn slowly(options: &mut FarmOptions) {
    options.environment.push(("LAZARET_IMAGES_AT_ONCE".into(), "4".into()));
    options.environment.push(("LAZARET_SLOTS".into(), "2".into()));
}

fn is_over(job: &Value) -> bool {
    !matches!(job["status"].as_str(), Some("queued" | "running"))
}

#[test]
fn a_coordinator_killed_at_any_moment_and_started_again_alone_ends_its_job() {
    let kills = count(3, 20);
    let grounds: Vec<Ground> =
        (0..kills).map(|number| Ground::new(600 + u64::from(number), 12, Duration::from_millis(10))).collect();
    let all: Vec<&Ground> = grounds.iter().collect();
    let Some(mut scene) = Scene::start(&all, ServerOptions::default(), slowly) else { return };
    let mut interrupted = 0;
    for (number, ground) in (0..u64::from(kills)).zip(&grounds) {
        let (api, references) = (scene.farm.api(), ground.references());
        let job = api.submit(&references);
        // Another moment each time, the same in every run.
        std::thread::sleep(Duration::from_millis(number.wrapping_mul(7919) % 1200));
        interrupted += u32::from(!is_over(&api.job(&job)));
        scene.farm.coordinators[0].restart();
        api.wait(&job);
        assert_alike(&api.reports(&job), &scene.local(&references));
    }
    assert!(interrupted * 2 > kills, "only {interrupted} of {kills} jobs were interrupted");
    scene.farm.verify_empty();
}

#[test]
fn messages_that_come_twice_and_out_of_order_change_nothing() {
    let ground = Ground::new(71, 24, Duration::from_millis(5));
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), |options| options.workers = 2) else { return };
    let (api, references, set) = (scene.farm.api(), ground.references(), Searching::default().set().to_owned());
    let tasks = (0..ground.fleet.len()).flat_map(|image| {
        let (repository, _) = ground.fleet.name(image);
        let place = Place { registry: ground.registry.address().to_string(), repository };
        let layers = ground.fleet.layers(image).into_iter().map(|layer| ground.fleet.facts(layer));
        layers.map(move |facts| (facts, place.clone())).collect::<Vec<_>>()
    });
    let mut tasks: Vec<Task> = tasks
        .map(|(facts, place)| {
            let media_type = "application/vnd.oci.image.layer.v1.tar+gzip".to_owned();
            let blob = Descriptor { media_type, digest: facts.digest, size: facts.size };
            Task { ticket: "by-hand".into(), ..Task::new(blob, &set, Class::Bulk, vec![place]) }
        })
        .collect();
    // By their ids, which are hashes: in no order that anybody planned.
    tasks.sort_by_key(|task| task.id);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let publish = |tasks: &[Task]| {
        runtime.block_on(async {
            let queue = queue::open(&scene.farm.servers.broker.url(), &QueueSettings::default()).await.unwrap();
            for published in queue.publish(tasks).await {
                published.unwrap();
            }
            queue.close().await;
        });
    };
    publish(&tasks);
    let job = api.submit(&references);
    publish(&tasks);
    api.wait(&job);
    tasks.reverse();
    publish(&tasks);
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
    let again = api.submit(&references);
    api.wait(&again);
    assert_alike(&api.reports(&again), &api.reports(&job));
}

#[test]
fn workers_killed_again_and_again_lose_nothing() {
    let ground = Ground::new(72, count(30, 300), Duration::from_millis(25));
    let many = |options: &mut FarmOptions| options.workers = 3;
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), many) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    let mut kills = 0;
    while !is_over(&api.job(&job)) {
        let dies = kills % scene.farm.workers.len();
        scene.farm.workers[dies].restart();
        kills += 1;
        std::thread::sleep(Duration::from_millis(500));
    }
    api.wait(&job);
    assert!(kills >= 3, "the job was over after {kills} kills");
    let (extra, layers) = (ground.extra_gets(), ground.layers().len());
    // What a worker was in the middle of is all that is done again: its slots, each time.
    assert!(extra as usize <= kills * 4, "{extra} of {layers} layers fetched again after {kills} kills");
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}

#[test]
fn a_worker_told_to_stop_ends_what_it_has_begun_and_nothing_is_done_twice() {
    let ground = Ground::new(73, count(30, 100), Duration::from_millis(25));
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), |options| options.workers = 2) else {
        return;
    };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait_for(&job, "a job that has begun", |_| ground.registry.counts().blob_bytes > 0);
    scene.farm.workers[0].signal("TERM");
    let status = scene.farm.workers[0].wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(0), "{}", scene.farm.workers[0].said());
    assert!(!is_over(&api.job(&job)), "the job was over before the worker was");
    api.wait(&job);
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}

#[test]
fn a_queue_deleted_under_a_job_is_told_and_the_job_ends_once_it_is_there_again() {
    let ground = Ground::new(74, 16, Duration::from_millis(50));
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), slowly) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait_for(&job, "a job that has begun", |_| ground.registry.counts().blob_bytes > 0);
    // The worker stands still meanwhile, however long that takes: what waits in the queue is lost with it.
    scene.farm.workers[0].signal("STOP");
    scene.farm.servers.broker.rabbitmqctl(&["delete_queue", "lazaret.bulk"]);
    scene.farm.workers[0].signal("CONT");
    api.wait_for(&job, "the coordinator to say so", |_| {
        scene.farm.coordinators[0].said().contains("no queue takes messages for `lazaret.bulk`")
    });
    assert!(scene.farm.workers[0].said().contains("no queue 'lazaret.bulk'"), "{}", scene.farm.workers[0].said());
    assert!(!is_over(&api.job(&job)), "a job with layers that nobody looked at is not over");
    scene.farm.declare_queues();
    api.wait(&job);
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}
