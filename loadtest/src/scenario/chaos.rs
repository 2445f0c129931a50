//! Everything fails, all the time: nothing is lost, no report differs, little is done twice.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::outcome::{self, Outcome};
use super::{Settings, with_logs};
use crate::farm::api::Api;
use crate::farm::storm::Storm;
use crate::farm::{Farm, FarmError, FarmOptions, import_advisories};
use crate::fleet::{Fleet, FleetOptions};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry};
use crate::verdict::{Verdict, figure};

/// Until every job has ended, once the storm began. A task that is lost is planned again after 20 minutes: a build that
/// loses one does not end in time.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
/// Layers of a stub image.
const LAYERS: u32 = 10;
/// Workers; one of them freezes.
const WORKERS: usize = 4;
/// From how many layers on the share of those analysed twice is looked at.
const MANY: u64 = 2_000;
/// Slots of each.
const SLOTS: u32 = 2;

/// What goes through the storm.
pub(super) struct Load<'l> {
    pub(super) what: &'l str,
    pub(super) registry: &'l SyntheticRegistry,
    pub(super) images: &'l [String],
    /// How many distinct layers these have.
    pub(super) layers: u64,
    /// How long a stub analysis takes; real ones if not given.
    pub(super) stub: Option<u64>,
    /// What both runs judge by.
    pub(super) advisories: Arc<TempDir>,
}

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let mut verdict = Verdict::default();
    let advisories = import_advisories(&settings.programs)?;
    let stubs = Stubs { seed: settings.seed, images: settings.scaled(1_200, 30), layers: LAYERS };
    let registry = SyntheticRegistry::of_stubs(stubs, RegistryOptions::default())?;
    let images: Vec<String> = registry.references().collect();
    let layers = u64::from(stubs.images * LAYERS);
    // As long as to have a storm in it.
    let pause = (15_000 * u64::from(SLOTS) * 3 / layers).clamp(5, 400);
    let load = Load {
        what: "stub images",
        registry: &registry,
        images: &images,
        layers,
        stub: Some(pause),
        advisories: Arc::clone(&advisories),
    };
    compare(&load, settings, &mut verdict)?;
    let fleet = FleetOptions { seed: settings.seed, ..FleetOptions::of(settings.scaled(300, 20)) };
    let subject = super::subject::Subject::of_fleet(Fleet::new(fleet), RegistryOptions::default())?;
    let load = Load {
        what: "real images",
        registry: &subject.registry,
        images: &subject.images,
        layers: subject.layers(),
        stub: None,
        advisories,
    };
    compare(&load, settings, &mut verdict)?;
    Ok(verdict)
}

/// The same images in a calm and in a storm.
fn compare(load: &Load<'_>, settings: &Settings, verdict: &mut Verdict) -> Result<(), FarmError> {
    let calm = calm(load, settings)?;
    calm.check(&format!("{}, calm", load.what), load.images, verdict);
    verdict.note(&format!("{}, calm: wall", load.what), figure(calm.took.as_secs_f64(), "s"));
    let storm = storm(load, settings, verdict)?;
    let other = calm
        .documents
        .iter()
        .find_map(|(reference, calm)| difference(reference, calm, storm.documents.get(reference)?));
    let same = storm.documents == calm.documents && other.is_none();
    let measured = other.unwrap_or_else(|| format!("{} identical", storm.documents.len()));
    verdict.check(&format!("{}: reports", load.what), "identical to the calm run's", measured, same);
    Ok(())
}

/// Where two reports differ first.
fn difference(reference: &str, calm: &[u8], storm: &[u8]) -> Option<String> {
    let at = calm.iter().zip(storm).position(|(calm, storm)| calm != storm);
    let at = at.or_else(|| (calm.len() != storm.len()).then_some(calm.len().min(storm.len())))?;
    let around = |report: &[u8]| {
        String::from_utf8_lossy(&report[at.saturating_sub(80)..(at + 80).min(report.len())]).into_owned()
    };
    Some(format!("{reference} differs at {at}: {} and {}", around(calm), around(storm)))
}

fn farm(load: &Load<'_>, settings: &Settings) -> Result<Farm, FarmError> {
    let mut options = FarmOptions::new(&settings.programs, load.registry.address());
    options.workers = WORKERS;
    options.stub = load.stub;
    options.advisories = Some(Arc::clone(&load.advisories));
    options.faults = true;
    options.worker_arguments = vec!["--slots".into(), SLOTS.to_string()];
    Farm::start(options)
}

fn calm(load: &Load<'_>, settings: &Settings) -> Result<Outcome, FarmError> {
    let load = Load { stub: load.stub.map(|_| 0), advisories: Arc::clone(&load.advisories), ..*load };
    let mut farm = farm(&load, settings)?;
    with_logs(&mut farm, |farm| outcome::run(farm.api(), load.images, "bulk", PATIENCE)?.with_documents(farm.api()))
}

/// Runs the images in a storm, and checks everything that needs no calm run.
pub(super) fn storm(load: &Load<'_>, settings: &Settings, verdict: &mut Verdict) -> Result<Outcome, FarmError> {
    let mut farm = farm(load, settings)?;
    load.registry.reset_counts();
    let storm = Storm::default();
    let outcome = with_logs(&mut farm, |farm| {
        let id = farm.api().submit(load.images, "bulk")?.id;
        farm.until("the first results", PATIENCE, |farm| Ok(farm.api().job(&id)?.done > 0))?;
        let start = Instant::now();
        let job = storm.rage(farm, settings.seed, |apis| {
            let job = apis[0].wait(&id, PATIENCE)?;
            // The end of the job is not the end of the storm: what is half done then has to end well too.
            while !storm.is_complete() && start.elapsed() < PATIENCE {
                sleep(Duration::from_millis(100));
            }
            Ok(job)
        })?;
        settled(farm.api())?;
        outcome::collect(farm.api(), job, start.elapsed())?.with_documents(farm.api())
    })?;
    let name = |what: &str| format!("{}, storm: {what}", load.what);
    verdict.check(&name("it was one"), "2 × broker, 1 × Redis", storm.told(), storm.is_complete());
    verdict.note(&name("wall"), figure(outcome.took.as_secs_f64(), "s"));
    outcome.check(&format!("{}, storm", load.what), load.images, verdict);
    let analysed = farm.servers()?.records();
    let extra = analysed.saturating_sub(load.layers) as f64 / load.layers as f64 * 100.0;
    let again = name(&format!("{analysed} analyses, more than layers"));
    // A worker is killed twice a second, however little there is to do: a promise in percent is about many layers.
    match load.layers >= MANY {
        true => verdict.at_most(&again, 1.0, extra, "%"),
        false => verdict.note(&again, figure(extra, "%")),
    }
    if load.stub.is_none() {
        let counts = load.registry.counts();
        let again = counts.blob_gets - counts.distinct_blobs;
        verdict.note(&name("pulls begun again"), format!("{again} of {}", counts.blob_gets));
    }
    outcome::nothing_left(&mut farm, verdict)?;
    super::judge(&mut farm, verdict);
    Ok(outcome)
}

/// Waits until the API answers again.
fn settled(api: &Api) -> Result<(), FarmError> {
    let start = Instant::now();
    while !api.is_ready() {
        if start.elapsed() > PATIENCE {
            return Err(FarmError::Late("the coordinator is not ready after the storm".into()));
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}
