//! One, two and four workers against a registry that takes its time.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lazaret::telemetry::metrics as names;

use super::Settings;
use super::outcome::{self, Outcome};
use super::subject::Subject;
use crate::farm::process::Process;
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{RegistryOptions, Throttle};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(900);
/// How long each answer of the registry takes: what bounds a slot, and not this machine's cores.
const LATENCY: Duration = Duration::from_millis(400);
/// How long a worker that says how many slots it has may take to open them.
const OPENING: Duration = Duration::from_millis(500);
/// Slots of a worker.
const SLOTS: u64 = 2;

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let mut verdict = Verdict::default();
    let mut single = None;
    for workers in [1, 2, 4] {
        let seconds = with(workers, settings, &mut verdict)?.as_secs_f64();
        let single = *single.get_or_insert(seconds);
        let efficiency = single / seconds / workers as f64 * 100.0;
        let name = format!("{workers} workers: {:.1} s, efficiency", seconds);
        match workers {
            4 => verdict.at_least(&name, 90.0, efficiency, "%"),
            _ => verdict.note(&name, figure(efficiency, "%")),
        }
    }
    Ok(verdict)
}

/// How long so many workers take, once all of it is planned.
fn with(workers: usize, settings: &Settings, verdict: &mut Verdict) -> Result<Duration, FarmError> {
    let images = settings.scaled(200, 20);
    let fleet = FleetOptions { seed: settings.seed, scale: 0.000_3, ..FleetOptions::of(images) };
    let throttle = Throttle { latency: LATENCY, ..Throttle::default() };
    let subject = Subject::of_fleet(Fleet::new(fleet), RegistryOptions { throttle, ..RegistryOptions::default() })?;
    let mut options = FarmOptions::new(&settings.programs, subject.registry.address());
    (options.workers, options.metrics) = (workers, true);
    options.worker_arguments = vec!["--slots".into(), SLOTS.to_string()];
    let mut farm = Farm::start(options)?;
    let done = super::with_logs(&mut farm, |farm| from_the_queue(farm, &subject))?;
    done.check(&format!("{workers} workers"), &subject.images, verdict);
    super::judge(&mut farm, verdict);
    Ok(done.took)
}

/// The workers stand still until every task is in the broker: what one coordinator does alone is the same for any number of
/// them. The broker believes in whoever stands still for 20 seconds.
fn from_the_queue(farm: &mut Farm, subject: &Subject) -> Result<Outcome, FarmError> {
    let workers = farm.workers.len();
    farm.until("workers that take tasks", PATIENCE, |farm| {
        let slots = |worker| farm.counted(worker).map(|counted| counted.sum(names::SLOTS, "class=\"bulk\""));
        Ok((0..workers).all(|worker| slots(worker).is_ok_and(|slots| slots > 0)))
    })?;
    sleep(OPENING);
    farm.workers.iter().for_each(Process::freeze);
    let id = farm.api().submit(&subject.images, "bulk")?.id;
    // Each slot has been given one already.
    let queued = subject.layers().saturating_sub(workers as u64 * SLOTS);
    farm.until("all tasks in the broker", PATIENCE, |farm| Ok(farm.left()?.queues.bulk >= queued))?;
    farm.workers.iter().for_each(Process::thaw);
    let start = Instant::now();
    let job = farm.api().wait(&id, PATIENCE)?;
    outcome::collect(farm.api(), job, start.elapsed())
}
