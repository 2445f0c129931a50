//! Two coordinators; the owner of a running job is killed, or frozen, and the other goes on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Settings, outcome};
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry};
use crate::verdict::Verdict;

const PATIENCE: Duration = Duration::from_secs(300);
/// Layers of an image.
const LAYERS: u32 = 5;
/// How long one takes, in milliseconds, in each of two slots: a job has to last until its owner is gone.
const PAUSE: u64 = 20;

/// What a coordinator says of a job that it takes up.
const RUNS_HERE: &str = "the job runs here";

/// What happens to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Killed,
    Frozen,
}

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let images = settings.scaled(600, 150);
    let registry = |seed| {
        let stubs = Stubs { seed, images, layers: LAYERS };
        SyntheticRegistry::of_stubs(stubs, RegistryOptions::default())
    };
    let mut verdict = Verdict::default();
    for (fate, seed) in [(Fate::Killed, settings.seed), (Fate::Frozen, settings.seed + 1)] {
        let registry = registry(seed)?;
        let mut options = FarmOptions::new(&settings.programs, registry.address());
        options.coordinators = 2;
        options.stub = Some(PAUSE);
        options.worker_arguments = vec!["--slots".into(), "2".into()];
        // Few images at a time: whoever takes over has something left to ask for.
        options.coordinator_arguments = vec!["--images-at-once".into(), "16".into()];
        let mut farm = Farm::start(options)?;
        super::with_logs(&mut farm, |farm| bereave(farm, fate, &registry, &mut verdict))?;
        super::judge(&mut farm, &mut verdict);
    }
    Ok(verdict)
}

/// Takes the owner away from a running job.
fn bereave(farm: &mut Farm, fate: Fate, registry: &SyntheticRegistry, verdict: &mut Verdict) -> Result<(), FarmError> {
    let images: Vec<String> = registry.references().collect();
    let start = Instant::now();
    let id = farm.api().submit(&images, "bulk")?.id;
    farm.until("first results", PATIENCE, |farm| Ok(farm.api().job(&id)?.done > 0))?;
    let owner = owner(farm, &id)?;
    let heir = farm.apis[1 - owner].clone();
    match fate {
        Fate::Killed => farm.coordinators[owner].kill9(),
        Fate::Frozen => farm.coordinators[owner].freeze(),
    }
    let gone = Instant::now();
    // What the owner sent last may still be on its way.
    sleep(Duration::from_millis(20));
    let (done, asked) = (heir.job(&id)?.done, registry.counts().requests);
    verdict.check("results before", format!("1 to {}", images.len() - 1), done, done > 0 && done < images.len() as u64);
    // Workers look at nothing in this scenario: whoever asks the registry is a coordinator.
    let mut first_request = None;
    let first_result = loop {
        if first_request.is_none() && registry.counts().requests > asked {
            first_request = Some(gone.elapsed());
        }
        if heir.job(&id).is_ok_and(|job| job.done > done) {
            break gone.elapsed();
        }
        if gone.elapsed() > PATIENCE {
            return Err(FarmError::Late(format!("nobody took over within {PATIENCE:?}")));
        }
        sleep(Duration::from_millis(10));
    };
    let limit = match fate {
        Fate::Killed => Duration::from_secs(2),
        Fate::Frozen => Duration::from_secs(35),
    };
    let name = |what: &str| format!("owner {}: {what}", format!("{fate:?}").to_lowercase());
    verdict.within(&name("the other asks the registry after"), limit, first_request.unwrap_or(first_result));
    verdict.within(&name("its first result after"), limit, first_result);
    match fate {
        Fate::Killed => farm.coordinators[owner].restart()?,
        // It wakes up while the other has the job.
        Fate::Frozen => farm.coordinators[owner].thaw(),
    }
    let job = heir.wait(&id, PATIENCE)?;
    let outcome = outcome::collect(&heir, job, start.elapsed())?;
    outcome.check(&name("in the end"), &images, verdict);
    verdict.equal(&name("images ended"), images.len() as u64, outcome.job.done);
    outcome::nothing_left(farm, verdict)
}

/// The coordinator that runs the job: it says so.
fn owner(farm: &mut Farm, id: &str) -> Result<usize, FarmError> {
    let mut owner = None;
    farm.until("a coordinator that runs the job", PATIENCE, |farm| {
        for (number, coordinator) in farm.coordinators.iter().enumerate() {
            let log = fs::read_to_string(coordinator.log())?;
            if log.lines().any(|line| line.contains(RUNS_HERE) && line.contains(id)) {
                owner = Some(number);
            }
        }
        Ok(owner.is_some())
    })?;
    owner.ok_or_else(|| FarmError::Odd("nobody runs the job".into()))
}
