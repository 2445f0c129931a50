//! One, two and four workers against a registry that takes its time.

use std::time::Duration;

use super::subject::Subject;
use super::{Settings, outcome};
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{RegistryOptions, Throttle};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(900);
/// How long each answer of the registry takes: what bounds a slot, and not this machine's cores.
const LATENCY: Duration = Duration::from_millis(400);

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

/// How long so many workers take.
fn with(workers: usize, settings: &Settings, verdict: &mut Verdict) -> Result<Duration, FarmError> {
    let images = settings.scaled(200, 20);
    let fleet = FleetOptions { seed: settings.seed, scale: 0.000_3, ..FleetOptions::of(images) };
    let throttle = Throttle { latency: LATENCY, ..Throttle::default() };
    let subject = Subject::of_fleet(Fleet::new(fleet), RegistryOptions { throttle, ..RegistryOptions::default() })?;
    let mut options = FarmOptions::new(&settings.programs, subject.registry.address());
    options.workers = workers;
    options.worker_arguments = vec!["--slots".into(), "2".into()];
    let mut farm = Farm::start(options)?;
    let done = super::with_logs(&mut farm, |farm| outcome::run(farm.api(), &subject.images, "bulk", PATIENCE))?;
    done.check(&format!("{workers} workers"), &subject.images, verdict);
    super::judge(&mut farm, verdict);
    Ok(done.took)
}
