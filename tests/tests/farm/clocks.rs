//! Clocks that are wrong: whoever is an hour ahead or behind works like anybody else, and reports say the same.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lazaret_tests::support::farm::{Api, ServerOptions};
use lazaret_tests::support::is_there;
use lazaret_tests::support::process::run;

use super::scene::{Ground, Scene, assert_alike, count};

#[test]
fn t1_workers_an_hour_ahead_and_behind_change_no_report() {
    // Debian's, for programs with threads.
    let faketime = format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    if !is_there("faketime", Path::new(&faketime).is_file()) {
        return;
    }
    let ground = Ground::new(96, count(20, 200), Duration::from_millis(20));
    let none = |options: &mut lazaret_tests::support::farm::FarmOptions| options.workers = 0;
    let Some(mut scene) = Scene::start(&[&ground], ServerOptions::default(), none) else { return };
    let hours = [("+1h", "+1 hour"), ("-1h", "-1 hour")];
    for (skew, _) in hours {
        let wrong = [("LD_PRELOAD", faketime.as_str()), ("FAKETIME", skew), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        scene.farm.add_worker_with(&wrong);
    }
    for address in &scene.farm.worker_addresses {
        Api(*address).wait_until_ready();
    }
    let (api, references) = (scene.farm.api(), ground.references());
    let job = api.submit(&references);
    api.wait(&job);
    for (worker, (_, hour)) in scene.farm.workers.iter().zip(hours) {
        // What it logs has the hour that it believes in; the hour may have ended since it began.
        let said = worker.said();
        let began = |back: &str| {
            let date = run(Command::new("date").args(["-u", "+%Y-%m-%dT%H:", "-d", &format!("{hour} {back}")]));
            String::from_utf8_lossy(&date).trim().to_owned()
        };
        assert!([began(""), began("-5 minutes")].iter().any(|hour| said.contains(hour)), "{hour}: {said}");
        assert!(said.contains("task ended"), "{hour}: it did nothing: {said}");
    }
    assert_eq!(ground.layer_gets(), [1], "{:?}", ground.registry.counts());
    assert_alike(&api.reports(&job), &scene.local(&references));
    scene.farm.verify_empty();
}
