//! Somebody waits for one image while a whole registry is being scanned.

use std::thread::sleep;
use std::time::{Duration, Instant};

use lazaret::telemetry::metrics as names;

use super::{Settings, outcome};
use crate::farm::{Farm, FarmError, FarmOptions};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(900);
/// Layers of an image.
const LAYERS: u32 = 8;
/// How long one takes, in milliseconds.
const PAUSE: u64 = 50;
/// Interactive scans, one after the other.
const SCANS: u32 = 20;

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let bulk = settings.scaled(100_000 / LAYERS, 100);
    let stubs = Stubs { seed: settings.seed, images: bulk + SCANS, layers: LAYERS };
    let registry = SyntheticRegistry::of_stubs(stubs, RegistryOptions::default())?;
    let images: Vec<String> = registry.references().collect();
    let (bulk, urgent) = images.split_at(bulk as usize);
    let mut options = FarmOptions::new(&settings.programs, registry.address());
    options.doors.clone_from(&settings.doors);
    (options.workers, options.metrics) = (0, true);
    options.stub = Some(PAUSE);
    options.worker_arguments = ["--slots", "2", "--interactive-slots", "2"].map(str::to_owned).to_vec();
    // All of it is in the broker at once, which a coordinator left to itself avoids.
    options.coordinator_arguments = ["--window", "200000", "--images-at-once", "100000"].map(str::to_owned).to_vec();
    let mut farm = Farm::start(options)?;
    let mut verdict = Verdict::default();
    let workers = settings.workers.unwrap_or(2);
    super::with_logs(&mut farm, |farm| {
        let job = queued(farm, bulk, workers, &mut verdict)?;
        scans(farm, &job, bulk, urgent, &mut verdict)
    })?;
    super::judge(&mut farm, &mut verdict);
    Ok(verdict)
}

/// The job whose tasks are all in the broker, and workers that have begun with them.
fn queued(farm: &mut Farm, bulk: &[String], workers: usize, verdict: &mut Verdict) -> Result<String, FarmError> {
    let wanted = bulk.len() as u64 * u64::from(LAYERS);
    let start = Instant::now();
    let id = farm.api().submit(bulk, "bulk")?.id;
    farm.until("the bulk in the broker", PATIENCE, |farm| Ok(farm.left()?.queues.bulk >= wanted))?;
    verdict.note("bulk tasks queued", format!("{wanted} in {}", figure(start.elapsed().as_secs_f64(), "s")));
    for _ in 0..workers {
        farm.add_worker()?;
    }
    farm.until("workers that work", PATIENCE, |farm| Ok(farm.left()?.queues.bulk < wanted))?;
    Ok(id)
}

/// Layers of interactive scans that workers are done with.
fn looked_at(farm: &Farm) -> Result<u64, FarmError> {
    (0..farm.workers.len()).map(|worker| Ok(farm.counted(worker)?.sum(names::TASKS, "class=\"interactive\""))).sum()
}

fn scans(
    farm: &mut Farm,
    job: &str,
    bulk: &[String],
    urgent: &[String],
    verdict: &mut Verdict,
) -> Result<(), FarmError> {
    let wanted = bulk.len() as u64 * u64::from(LAYERS);
    let (mut begun, mut ended, mut least) = (Vec::new(), Vec::new(), u64::MAX);
    for image in urgent {
        let (before, start) = (looked_at(farm)?, Instant::now());
        let id = farm.api().submit(std::slice::from_ref(image), "interactive")?.id;
        farm.until("a first layer", PATIENCE, |farm| Ok(looked_at(farm)? > before))?;
        begun.push(start.elapsed());
        let scan = farm.api().wait(&id, PATIENCE)?;
        ended.push(start.elapsed());
        let scan = outcome::collect(farm.api(), scan, start.elapsed())?;
        if !scan.complaints.is_empty() {
            return Err(FarmError::Odd(scan.complaints.join("; ")));
        }
        least = least.min(farm.left()?.queues.bulk);
        sleep(Duration::from_millis(100));
    }
    begun.sort_unstable();
    ended.sort_unstable();
    let at = |times: &[Duration], part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    let shown = |times: &[Duration]| {
        let shown = [50, 95, 100].map(|part| figure(at(times, part).as_secs_f64(), "s"));
        shown.join(", ")
    };
    verdict.at_least("bulk tasks that waited meanwhile", 0.5 * wanted as f64, least as f64, "");
    // A scan whose first layer is done has started: what is measured is a little more than what is promised.
    verdict.within("interactive scans, from submission to a first layer: p95", Duration::from_secs(2), at(&begun, 95));
    verdict.note("to a first layer: median, p95, slowest", shown(&begun));
    verdict.note("to the report: median, p95, slowest", shown(&ended));
    verdict.note("bulk job meanwhile", farm.api().job(job)?.status);
    Ok(())
}
