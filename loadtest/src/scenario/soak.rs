//! Many layers and a registry that fails now and then: what processes hold stays what it is.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::subject::Subject;
use super::{Settings, outcome};
use crate::farm::usage::Usage;
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{Faults, RegistryOptions};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(4 * 60 * 60);
/// Images whose distinct layers are ten thousand.
const IMAGES: u32 = 4_200;
const MIB: f64 = (1 << 20) as f64;

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let fleet = FleetOptions { seed: settings.seed, scale: 0.000_3, ..FleetOptions::of(settings.scaled(IMAGES, 50)) };
    let faults =
        Faults { seed: settings.seed, internal_errors: 0.002, truncated: 0.002, reset: 0.002, ..Faults::default() };
    let subject = Subject::of_fleet(Fleet::new(fleet), RegistryOptions { faults, ..RegistryOptions::default() })?;
    let mut farm = Farm::start(FarmOptions::new(&settings.programs, subject.registry.address()))?;
    let mut verdict = Verdict::default();
    super::with_logs(&mut farm, |farm| soak(farm, &subject, &mut verdict))?;
    outcome::nothing_left(&mut farm, &mut verdict)?;
    super::judge(&mut farm, &mut verdict);
    Ok(verdict)
}

fn soak(farm: &mut Farm, subject: &Subject, verdict: &mut Verdict) -> Result<(), FarmError> {
    let empty = farm.servers()?.redis_bytes()?;
    let start = Instant::now();
    let id = farm.api().submit(&subject.images, "bulk")?.id;
    let mut samples: Vec<Usage> = Vec::new();
    let job = loop {
        samples.push(farm.workers[0].usage());
        let job = farm.api().job(&id)?;
        if job.status == "done" {
            break job;
        }
        if start.elapsed() > PATIENCE {
            return Err(FarmError::Late(format!("the job did not end: {job:?}")));
        }
        sleep(Duration::from_millis(200));
    };
    let layers = subject.layers();
    let done = outcome::collect(farm.api(), job, start.elapsed())?;
    done.check("soak", &subject.images, verdict);
    verdict.note("layers", format!("{layers} in {:.0} s", done.took.as_secs_f64()));
    // A tenth to warm up; then the level of the second tenth against that of the last.
    let tenth = (samples.len() / 10).max(1);
    let level = |from: usize| {
        let part = &samples[from.min(samples.len() - 1)..(from + tenth).min(samples.len())];
        part.iter().map(|sample| sample.resident as f64).sum::<f64>() / part.len() as f64
    };
    let (early, late) = (level(tenth), level(samples.len().saturating_sub(tenth)));
    verdict.at_most("worker: growth of its memory", 5.0, (late / early - 1.0) * 100.0, "%");
    let most = |of: fn(&Usage) -> u64| samples.iter().map(of).max().unwrap_or(0) as f64;
    verdict.at_most("worker: memory", 256.0, most(|sample| sample.resident) / MIB, "MiB");
    verdict.at_most("worker: memory of its largest child", 512.0, most(|sample| sample.largest_child) / MIB, "MiB");
    let (early, late) = (&samples[tenth.min(samples.len() - 1)], &samples[samples.len() - 1]);
    // A connection more or less to the registry is no leak.
    verdict.at_most(
        "worker: more descriptors than early on",
        8.0,
        late.descriptors as f64 - early.descriptors as f64,
        "",
    );
    let held = farm.servers()?.redis_bytes()?.saturating_sub(empty) as f64 / layers.max(1) as f64 / 1024.0;
    verdict.at_most("Redis for each layer", 3.0, held, "KB");
    let coordinator = farm.coordinators[0].usage();
    verdict.note("coordinator: memory", figure(coordinator.resident as f64 / MIB, "MiB"));
    Ok(())
}
