//! Trials: each brings a farm to where one thing matters that a build may have wrong.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lazaret::telemetry::metrics as names;

use super::super::Settings;
use super::super::subject::Subject;
use super::PATIENCE;
use crate::farm::{Detour, Farm, FarmError, FarmOptions};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry, Throttle};

/// The queue of bulk tasks.
const BULK: &str = "lazaret.bulk";
/// What a coordinator says that misses a queue. It looks every five seconds.
const QUEUE_IS_GONE: &str = "a queue is gone";
/// How long what was written to a connection may be on its way to the proxy that holds it up.
const ON_ITS_WAY: Duration = Duration::from_millis(500);
/// Between two deaths of workers: each task takes half as long, and all slots are busy.
const BETWEEN_DEATHS: Duration = Duration::from_millis(700);
/// How long a worker may take to say what it did, once nothing is left to do.
const TELLING: Duration = Duration::from_secs(10);

/// What a build goes through.
pub(super) struct Trial {
    pub(super) name: &'static str,
    /// What the environment calls the builds that are to fail here.
    pub(super) mutants: &'static [&'static str],
    pub(super) load: fn(&Settings) -> Result<Load, FarmError>,
    pub(super) options: fn(&mut FarmOptions),
    /// What happens to the farm; the job that is to end all the same.
    pub(super) ordeal: fn(&mut Farm, &Load) -> Result<String, FarmError>,
    /// Once the job has ended: what does not add up.
    pub(super) books: fn(&mut Farm, &Load) -> Result<Option<String>, FarmError>,
}

/// What there is to scan.
pub(super) struct Load {
    pub(super) registry: SyntheticRegistry,
    pub(super) images: Vec<String>,
    layers: u64,
}

pub(super) static TRIALS: &[Trial] = &[
    Trial {
        name: "workers killed",
        mutants: &["ack-before-store"],
        load: |settings| stubs(settings, 16, Duration::ZERO),
        options: |options| {
            (options.workers, options.stub) = (2, Some(300));
            options.worker_arguments = vec!["--slots".into(), "2".into()];
        },
        ordeal: workers_killed,
        books: no_books,
    },
    Trial {
        name: "cut off while tasks are published",
        mutants: &["no-confirm"],
        // The registry takes its time, so that the job has begun and nothing is published yet.
        load: |settings| stubs(settings, settings.scaled(40, 8), Duration::from_millis(400)),
        options: |options| {
            (options.detour, options.stub) = (Detour::Coordinators, Some(0));
            // All of it is published at once.
            options.coordinator_arguments = vec!["--images-at-once".into(), "2000".into()];
        },
        ordeal: cut_off_while_publishing,
        books: no_books,
    },
    Trial {
        name: "a queue missing for a moment",
        mutants: &["no-mandatory", "no-reconciler"],
        load: |settings| stubs(settings, 8, Duration::ZERO),
        options: |options| (options.workers, options.stub) = (0, Some(0)),
        ordeal: queue_missing,
        books: no_books,
    },
    Trial {
        name: "cut off before the acknowledgement",
        mutants: &["ok-false-ignored"],
        load: |settings| {
            let fleet = FleetOptions { seed: settings.seed, scale: 0.000_3, ..FleetOptions::of(4) };
            let subject = Subject::of_fleet(Fleet::new(fleet), RegistryOptions::default())?;
            let layers = subject.layers();
            Ok(Load { registry: subject.registry, images: subject.images, layers })
        },
        options: |options| {
            (options.detour, options.metrics, options.faults) = (Detour::Workers, true, true);
            options.worker_arguments = vec!["--slots".into(), "2".into()];
        },
        ordeal: cut_off_before_acknowledging,
        books: each_task_is_acknowledged_once,
    },
];

/// Images of five layers each that are names alone.
fn stubs(settings: &Settings, images: u32, latency: Duration) -> Result<Load, FarmError> {
    let stubs = Stubs { seed: settings.seed, images, layers: 5 };
    let throttle = Throttle { latency, ..Throttle::default() };
    let registry = SyntheticRegistry::of_stubs(stubs, RegistryOptions { throttle, ..RegistryOptions::default() })?;
    let images = registry.references().collect();
    Ok(Load { registry, images, layers: u64::from(stubs.images * stubs.layers) })
}

fn submitted(farm: &Farm, load: &Load) -> Result<String, FarmError> {
    Ok(farm.api().submit(&load.images, "bulk")?.id)
}

/// Workers die in the middle of a task, each of them twice.
fn workers_killed(farm: &mut Farm, load: &Load) -> Result<String, FarmError> {
    let id = submitted(farm, load)?;
    farm.until("workers that work", PATIENCE, |farm| Ok(farm.left()?.queues.bulk > 0))?;
    for victim in [0, 1, 0, 1] {
        sleep(BETWEEN_DEATHS);
        farm.workers[victim].restart()?;
    }
    Ok(id)
}

/// Tasks are written to a connection that passes nothing on, and ends.
fn cut_off_while_publishing(farm: &mut Farm, load: &Load) -> Result<String, FarmError> {
    let id = submitted(farm, load)?;
    farm.until("a job that has begun", PATIENCE, |_| Ok(load.registry.counts().requests > 0))?;
    farm.servers()?.detour.pause();
    // Claims are taken right before a task is published.
    farm.until("tasks that are published", PATIENCE, |farm| Ok(farm.left()?.claims == load.layers))?;
    sleep(ON_ITS_WAY);
    farm.servers()?.detour.cut();
    farm.servers()?.detour.resume();
    Ok(id)
}

/// Tasks are published while their queue is missing, and it is there again before anybody looks whether it is.
fn queue_missing(farm: &mut Farm, load: &Load) -> Result<String, FarmError> {
    farm.servers()?.broker.rabbitmqctl(&["delete_queue", BULK]);
    farm.until("a coordinator that misses the queue", PATIENCE, |farm| {
        Ok(fs::read_to_string(farm.coordinators[0].log())?.contains(QUEUE_IS_GONE))
    })?;
    let id = submitted(farm, load)?;
    farm.until("tasks that are published", PATIENCE, |farm| Ok(farm.held_claims()? == load.layers))?;
    sleep(ON_ITS_WAY);
    farm.declare_queues()?;
    farm.add_worker()?;
    Ok(id)
}

/// A worker keeps a result, and its connection ends before it can acknowledge the task.
fn cut_off_before_acknowledging(farm: &mut Farm, load: &Load) -> Result<String, FarmError> {
    farm.servers()?.hold(true);
    let id = submitted(farm, load)?;
    farm.until("a result that is being kept", PATIENCE, |farm| Ok(farm.servers()?.records() > 0))?;
    farm.servers()?.detour.cut();
    farm.servers()?.hold(false);
    Ok(id)
}

fn no_books(_: &mut Farm, _: &Load) -> Result<Option<String>, FarmError> {
    Ok(None)
}

/// A task that the broker gave out again is one that the worker could not acknowledge, and says so.
fn each_task_is_acknowledged_once(farm: &mut Farm, load: &Load) -> Result<Option<String>, FarmError> {
    let start = Instant::now();
    loop {
        let counted = farm.counted(0)?;
        let ended = |outcome: &str| counted.sum(names::TASKS, &format!("outcome=\"{outcome}\""));
        let again = ended("reused");
        let ended = again + ended("analysed") + ended("failed");
        let unacknowledged = counted.sum(names::ACKS_LOST, "");
        if again > 0 && ended - unacknowledged == load.layers {
            return Ok(None);
        }
        if start.elapsed() > TELLING {
            if again == 0 {
                return Err(FarmError::Odd("no task came again: the connection was cut too early, or too late".into()));
            }
            return Ok(Some(format!(
                "{} tasks ended {ended} times, {unacknowledged} of them not acknowledged",
                load.layers
            )));
        }
        sleep(Duration::from_millis(100));
    }
}
