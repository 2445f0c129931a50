//! Two coordinators on one farm: neither does what the other did, and either goes on where the other died.

use std::time::{Duration, Instant};

use lazaret_tests::support::farm::ServerOptions;
use serde_json::Value;

use super::scene::{Ground, Scene, assert_alike, count};

#[test]
fn one_list_submitted_to_both_is_worked_on_once() {
    let ground = Ground::new(51, count(40, 200), Duration::from_millis(2));
    let pair =
        |options: &mut lazaret_tests::support::farm::FarmOptions| (options.coordinators, options.workers) = (2, 2);
    let Some(scene) = Scene::start(&[&ground], ServerOptions::default(), pair) else { return };
    let (references, apis) = (ground.references(), &scene.farm.apis);
    let jobs: Vec<String> = std::thread::scope(|scope| {
        let submitting: Vec<_> = apis.iter().map(|api| scope.spawn(|| api.submit(&references))).collect();
        submitting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // Each is asked about the job that the other took.
    apis[1].wait(&jobs[0]);
    apis[0].wait(&jobs[1]);
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    let ids = |job: &str| {
        let results = apis[0].results(job).into_iter();
        let mut ids: Vec<_> = results.map(|row| (row["reference"].to_string(), row["report"].to_string())).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&jobs[0]), ids(&jobs[1]), "the ids of reports");
    for api in apis {
        assert_eq!(api.jobs().as_array().map(Vec::len), Some(2), "either answers for all jobs");
        assert_eq!(api.reports(&jobs[0]), api.reports(&jobs[1]));
    }
    assert_eq!(scene.kept("latest/").len(), references.len(), "one pointer for each image");
    let analysed = |job: &str| apis[0].job(job)["ledger"]["layers_analysed"].as_u64().unwrap();
    assert_eq!(analysed(&jobs[0]) + analysed(&jobs[1]), ground.layers().len() as u64, "what both ledgers say together");
    scene.farm.verify_empty();
}

#[test]
fn the_other_coordinator_ends_the_job_of_one_that_is_killed() {
    let ground = Ground::new(52, count(40, 200), Duration::from_millis(25));
    let pair = |options: &mut lazaret_tests::support::farm::FarmOptions| {
        (options.coordinators, options.workers) = (2, 2);
        // So that there is something left when the owner dies.
        options.environment.push(("LAZARET_IMAGES_AT_ONCE".into(), "4".into()));
    };
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), pair) else { return };
    let references = ground.references();
    let job = scene.farm.apis[0].submit(&references);
    let begun = |job: &Value| job["status"] == "running" && job["done"].as_u64() >= Some(3);
    scene.farm.apis[0].wait_for(&job, "a job that has begun", begun);
    // Whoever is asked answers; the log alone tells whose job it is, so both die once.
    for (dies, lives) in [(0, 1), (1, 0)] {
        scene.farm.coordinators[dies].kill9();
        let before = scene.farm.apis[lives].job(&job);
        let ended = before["status"] == "done";
        let killed = Instant::now();
        scene.farm.apis[lives].wait_for(&job, "progress under the other", |now| {
            ended || now["status"] == "done" || now["done"].as_u64() > before["done"].as_u64()
        });
        assert!(killed.elapsed() < Duration::from_secs(10), "take-over took {:?}", killed.elapsed());
        scene.farm.coordinators[dies].restart();
        scene.farm.apis[dies].wait_until_ready();
    }
    scene.farm.api().wait(&job);
    let reports = scene.farm.apis[1].reports(&job);
    assert_alike(&reports, &scene.local(&references));
    scene.farm.verify_empty();

    // One that was frozen and not killed writes what it knows beside what the next one wrote; nobody is told twice.
    for (key, results) in scene.kept("jobs/results/") {
        scene.keep(&format!("{key}-late"), results);
    }
    assert_eq!(scene.farm.apis[1].reports(&job), reports);
}
