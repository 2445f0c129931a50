//! Whether this harness sees: builds that are wrong in one place have to fail where the right one does not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Settings, outcome};
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry};
use crate::verdict::Verdict;

/// Until a right build has ended its job, with plenty to spare. A task that is lost is planned again after 20 minutes only.
const PATIENCE: Duration = Duration::from_secs(75);
/// The queue of bulk tasks.
const BULK: &str = "lazaret.bulk";
/// How often a wrong build may be lucky.
const TRIES: usize = 3;

/// What a build goes through.
struct Trial {
    name: &'static str,
    /// What the environment calls those that are to fail.
    mutants: &'static [&'static str],
    stubs: Stubs,
    options: fn(&mut FarmOptions),
    /// What happens to the farm, the job being given by its images.
    ordeal: fn(&mut Farm, &[String]) -> Result<String, FarmError>,
}

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let programs = match &settings.mutants {
        Some(directory) => directory.clone(),
        None => build()?,
    };
    let mut verdict = Verdict::default();
    for trial in trials(settings) {
        let right = attempt(&trial, &programs, None)?;
        verdict.check(&format!("{}: the right build", trial.name), "ends", &right, right == "ends");
        for mutant in trial.mutants {
            let mut seen = String::new();
            for _ in 0..TRIES {
                seen = attempt(&trial, &programs, Some(mutant))?;
                if seen != "ends" {
                    break;
                }
            }
            verdict.check(&format!("{}: {mutant}", trial.name), "is caught", &seen, seen != "ends");
        }
    }
    // A worker that takes `Ok(false)` for an acknowledgement does what it did before: the task comes again and is found done.
    // What it says of it is tested at the door (tests/tests/queue_door).
    verdict.note("ok-false-ignored", "changes nothing that a farm can show");
    Ok(verdict)
}

fn trials(settings: &Settings) -> [Trial; 3] {
    let stubs = |images, layers| Stubs { seed: settings.seed, images, layers };
    [
        Trial {
            name: "workers killed",
            mutants: &["ack-before-store"],
            stubs: stubs(20, 5),
            options: |options| {
                (options.workers, options.stub) = (2, Some(300));
                options.worker_arguments = vec!["--slots".into(), "2".into()];
            },
            ordeal: |farm, images| {
                let id = farm.api().submit(images, "bulk")?.id;
                for round in 0..12 {
                    sleep(Duration::from_millis(500));
                    farm.workers[round % 2].restart()?;
                }
                Ok(id)
            },
        },
        Trial {
            name: "broker killed",
            mutants: &["no-confirm"],
            stubs: stubs(settings.scaled(1_000, 300), 10),
            options: |options| {
                // All of it is published as fast as it goes.
                options.coordinator_arguments = vec!["--images-at-once".into(), "2000".into()];
                options.stub = Some(0);
                options.worker_arguments = vec!["--slots".into(), "8".into()];
            },
            ordeal: |farm, images| {
                let id = farm.api().submit(images, "bulk")?.id;
                farm.until("the first tasks", PATIENCE, |farm| Ok(farm.left()?.queues.bulk > 0))?;
                farm.servers.broker.kill9();
                farm.servers.broker.restart();
                Ok(id)
            },
        },
        Trial {
            name: "a queue missing for a while",
            mutants: &["no-mandatory", "no-reconciler"],
            stubs: stubs(10, 5),
            options: |options| {
                (options.workers, options.stub) = (0, Some(0));
            },
            ordeal: |farm, images| {
                farm.servers.broker.rabbitmqctl(&["delete_queue", BULK]);
                let id = farm.api().submit(images, "bulk")?.id;
                // Published to nobody meanwhile; a worker that starts declares the queue.
                sleep(Duration::from_secs(4));
                farm.add_worker()?;
                Ok(id)
            },
        },
    ]
}

/// How a build fares: `ends`, or what became of the job instead.
fn attempt(trial: &Trial, programs: &Path, mutant: Option<&str>) -> Result<String, FarmError> {
    let registry = SyntheticRegistry::of_stubs(trial.stubs, RegistryOptions::default())?;
    let images: Vec<String> = registry.references().collect();
    let mut options = FarmOptions::new(programs, registry.address());
    (trial.options)(&mut options);
    options.environment.extend(mutant.map(|mutant| ("LAZARET_MUTANT", mutant.to_owned())));
    let mut farm = Farm::start(options)?;
    let start = Instant::now();
    let id = super::with_logs(&mut farm, |farm| (trial.ordeal)(farm, &images))?;
    let job = match farm.api().wait(&id, PATIENCE) {
        Ok(job) => job,
        Err(FarmError::Late(_)) => {
            let done = farm.api().job(&id).map_or(0, |job| job.done);
            return Ok(format!("{} of {} images have not ended", images.len() as u64 - done, images.len()));
        }
        Err(error) => return Err(error),
    };
    let mut verdict = Verdict::default();
    outcome::collect(farm.api(), job, start.elapsed())?.check("", &images, &mut verdict);
    outcome::nothing_left(&mut farm, &mut verdict)?;
    let broken = verdict.checks.iter().find(|check| !check.holds);
    Ok(broken.map_or_else(|| "ends".to_owned(), |check| check.measured.clone()))
}

/// Builds our programs with the feature `mutants`, in a directory of their own.
fn build() -> Result<PathBuf, FarmError> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let target = workspace.join("target/mutants");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "lazaret-coordinator", "--package", "lazaret-worker"]);
    cargo.args(["--features", "lazaret-coordinator/mutants,lazaret-worker/mutants", "--target-dir"]).arg(&target);
    let built = cargo.current_dir(workspace).status();
    let built = built.map_err(|error| FarmError::Process("cargo".into(), error))?;
    match built.success() {
        true => Ok(target.join("debug")),
        false => Err(FarmError::Odd("the builds with the feature `mutants` do not build".into())),
    }
}
