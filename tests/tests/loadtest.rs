//! The scenarios of the load test at small scales; all of them, at those of a minute, with `LAZARET_FULL=1`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use lazaret_loadtest::scenario::{self, SCENARIOS, Settings};
use lazaret_tests::support::{binary, has_program, redis_server};

/// One farm at a time: what is measured is what one takes.
static TURN: Mutex<()> = Mutex::new(());

/// Builds our programs, with the profile of this test; where they are.
fn programs() -> PathBuf {
    let lazaret = binary::lazaret(!cfg!(debug_assertions));
    lazaret.parent().expect("a target directory").to_owned()
}

/// Runs a scenario and fails with what it complains of. Figures are not looked at in a build that is not optimised, since
/// they say nothing there.
fn holds(name: &str, scale: f64) {
    if !has_program("rabbitmq-server") || !redis_server::has_programs() {
        return;
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let settings =
        Settings { programs: programs(), mutants: None, scale, seed: 1, layout: None, doors: None, workers: None };
    let scenario = scenario::named(name).expect("a scenario");
    let verdict = scenario.run(&settings).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!verdict.checks.is_empty());
    let is_figure =
        |measured: &str| ["s", "tasks/s", "%", "MiB"].iter().any(|unit| measured.ends_with(&format!(" {unit}")));
    let broken: Vec<_> = verdict
        .checks
        .iter()
        .filter(|check| !(check.holds || cfg!(debug_assertions) && is_figure(&check.measured)))
        .collect();
    assert!(broken.is_empty(), "{name}: {broken:#?}");
}

#[test]
fn each_layer_is_pulled_once() {
    holds("once", 0.05);
}

#[test]
fn another_coordinator_takes_over() {
    holds("takeover", 0.25);
}

#[test]
fn nothing_is_lost_in_a_storm() {
    holds("chaos", 0.02);
}

#[test]
fn every_scenario_holds() {
    if std::env::var("LAZARET_FULL").as_deref() != Ok("1") {
        return;
    }
    for scenario in SCENARIOS {
        holds(scenario.name, scenario.minute);
    }
}
