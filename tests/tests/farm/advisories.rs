//! A job is judged with one snapshot, whatever becomes of the snapshot meanwhile.

use std::time::Duration;

use lazaret_tests::support::farm::{FarmOptions, ServerOptions};
use serde_json::Value;

use super::scene::{Ground, Scene, count, import};

#[test]
fn a_snapshot_that_is_replaced_during_a_job_changes_none_of_its_reports() {
    let ground = Ground::new(101, count(24, 200), Duration::from_millis(15));
    let slowly = |options: &mut FarmOptions| options.environment.push(("LAZARET_IMAGES_AT_ONCE".into(), "2".into()));
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), slowly) else { return };
    let (api, references) = (scene.farm.api(), ground.references());
    let snapshots = |job: &str| {
        let reports = api.reports(job).into_values();
        let mut named: Vec<String> = reports
            .map(|report| {
                let report: Value = serde_json::from_slice(&report).unwrap();
                report["coverage"]["snapshot"]["digest"].as_str().unwrap().to_owned()
            })
            .collect();
        named.sort();
        named.dedup();
        named
    };
    let job = api.submit(&references);
    api.wait_for(&job, "a job that has begun", |job| job["done"].as_u64() >= Some(1));
    import(&scene.advisories, 2);
    assert_eq!(api.job(&job)["status"], "running", "the job was over before the snapshot was replaced");
    // Whoever goes on with it has never seen the old one, but in the store.
    scene.farm.coordinators[0].restart();
    let old = api.wait(&job)["snapshot"].as_str().unwrap().to_owned();
    assert_eq!(snapshots(&job), std::slice::from_ref(&old));

    ground.registry.reset_counts();
    let next = api.submit(&references);
    let new = api.wait(&next)["snapshot"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_eq!(snapshots(&next), [new]);
    assert_eq!(ground.registry.counts().blob_gets, 0, "judging anew fetches no layer");
    scene.farm.verify_empty();
}
