//! Whether this harness sees: builds that are wrong in one place have to fail where the right one does not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Settings, outcome};
use crate::farm::api::Job;
use crate::farm::{Farm, FarmError, FarmOptions, Left};
use crate::verdict::Verdict;

mod trial;

use trial::{TRIALS, Trial};

/// Until a right build has ended its job, with plenty to spare.
const PATIENCE: Duration = Duration::from_secs(120);
/// A job without an image more for so long, while no queue has anything in it, has lost something. A right build would plan
/// it again too, 20 minutes after it published it.
const STALLED: Duration = Duration::from_secs(12);
/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let programs = match &settings.mutants {
        Some(directory) => directory.clone(),
        None => build()?,
    };
    let mut verdict = Verdict::default();
    for trial in TRIALS {
        let wrong = attempt(trial, settings, &programs, None)?;
        let measured = wrong.as_deref().unwrap_or("passes");
        verdict.check(&format!("{}: the right build", trial.name), "passes", measured, wrong.is_none());
        for mutant in trial.mutants {
            let wrong = attempt(trial, settings, &programs, Some(mutant))?;
            let measured = wrong.as_deref().unwrap_or("passes");
            verdict.check(&format!("{}: {mutant}", trial.name), "is caught", measured, wrong.is_some());
        }
    }
    Ok(verdict)
}

/// What a build does wrong in a trial, if anything.
fn attempt(
    trial: &Trial,
    settings: &Settings,
    programs: &Path,
    mutant: Option<&str>,
) -> Result<Option<String>, FarmError> {
    let load = (trial.load)(settings)?;
    let mut options = FarmOptions::new(programs, load.registry.address());
    (trial.options)(&mut options);
    options.environment.extend(mutant.map(|mutant| ("LAZARET_MUTANT", mutant.to_owned())));
    let mut farm = Farm::start(options)?;
    let start = Instant::now();
    let ended = super::with_logs(&mut farm, |farm| {
        let id = (trial.ordeal)(farm, &load)?;
        end_of(farm, &id)
    })?;
    let job = match ended {
        Ok(job) => job,
        Err(stuck) => return Ok(Some(stuck)),
    };
    let mut verdict = Verdict::default();
    outcome::collect(farm.api(), job, start.elapsed())?.check("", &load.images, &mut verdict);
    outcome::nothing_left(&mut farm, &mut verdict)?;
    let broken = verdict.checks.into_iter().find(|check| !check.holds).map(|check| check.measured);
    match broken {
        Some(broken) => Ok(Some(broken)),
        None => super::with_logs(&mut farm, |farm| (trial.books)(farm, &load)),
    }
}

/// The job at its end; what is wrong with it if it does not come to one.
fn end_of(farm: &mut Farm, id: &str) -> Result<Result<Job, String>, FarmError> {
    let start = Instant::now();
    let (mut last, mut moved) = (None, Instant::now());
    while start.elapsed() < PATIENCE {
        let job = farm.api().job(id)?;
        if job.status == "done" {
            return Ok(Ok(job));
        }
        // A queue that is missing is not an empty one.
        let waits = farm.left().map_or(true, |left| left.queues != Left::default().queues);
        if waits || last != Some(job.done) {
            (last, moved) = (Some(job.done), Instant::now());
        }
        if moved.elapsed() > STALLED {
            return Ok(Err(format!("{} of {} images never end", job.images - job.done, job.images)));
        }
        sleep(LOOK);
    }
    Ok(Err(format!("the job does not end within {PATIENCE:?}")))
}

/// Builds our programs with the feature `mutants`, in a directory of their own.
fn build() -> Result<PathBuf, FarmError> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let target = workspace.join("target/mutants");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "lazaret-coordinator", "--package", "lazaret-worker"]);
    cargo.args(["--features", "lazaret-coordinator/mutants,lazaret-worker/mutants", "--target-dir"]).arg(&target);
    // Nobody looks into them with a debugger.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    let built = cargo.current_dir(workspace).status();
    let built = built.map_err(|error| FarmError::Process("cargo".into(), error))?;
    match built.success() {
        true => Ok(target.join("debug")),
        false => Err(FarmError::Odd("the builds with the feature `mutants` do not build".into())),
    }
}
