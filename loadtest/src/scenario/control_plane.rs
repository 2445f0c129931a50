//! Everything around the analysis, with an analysis that is none: plan, queue, worker, store, compose.

use std::time::Duration;

use nix::sys::resource::UsageWho;

use super::{Settings, outcome};
use crate::farm::{Farm, FarmError, FarmOptions, usage};
use crate::registry::{RegistryOptions, Stubs, SyntheticRegistry};
use crate::verdict::{Verdict, figure};

const PATIENCE: Duration = Duration::from_secs(600);
/// Layers of an image.
const LAYERS: u32 = 10;
/// Slots of a worker: enough that it is not the round trips of one task after the other that are measured.
const SLOTS: u32 = 16;

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let stubs = Stubs { seed: settings.seed, images: settings.scaled(1_000, 20), layers: LAYERS };
    let registry = SyntheticRegistry::of_stubs(stubs, RegistryOptions::default())?;
    let images: Vec<String> = registry.references().collect();
    let mut options = FarmOptions::new(&settings.programs, registry.address());
    options.workers = settings.workers.unwrap_or(1);
    options.doors.clone_from(&settings.doors);
    options.stub = Some(0);
    options.worker_arguments = vec!["--slots".into(), SLOTS.to_string()];
    let mut farm = Farm::start(options)?;
    let mut verdict = Verdict::default();
    let before = farm.cpu();
    let (servers, own) = (farm.servers_cpu(), usage::own(UsageWho::RUSAGE_SELF));
    let outcome = super::with_logs(&mut farm, |farm| outcome::run(farm.api(), &images, "bulk", PATIENCE))?;
    let (after, servers_after) = (farm.cpu(), farm.servers_cpu());
    let tasks = f64::from(stubs.images * stubs.layers);
    let seconds = outcome.took.as_secs_f64();
    outcome.check("stub images", &images, &mut verdict);
    verdict.note("tasks", figure(tasks, ""));
    verdict.equal("layers analysed", u64::from(stubs.images * stubs.layers), outcome.job.ledger.layers_analysed);
    verdict.at_least("tasks through the farm", 500.0, tasks / seconds, "tasks/s");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let of = |spent: Duration| {
        format!(
            "{:.2} ms a task, {:.2} of {cores} cores",
            spent.as_secs_f64() / tasks * 1e3,
            spent.as_secs_f64() / seconds
        )
    };
    verdict.note("bound by: coordinator", of(after.0 - before.0));
    verdict.note("bound by: worker", of(after.1 - before.1));
    if farm.servers.is_some() {
        verdict.note("bound by: RabbitMQ and Redis", of(servers_after.saturating_sub(servers)));
    }
    verdict
        .note("bound by: S3 server, registry and harness", of(usage::own(UsageWho::RUSAGE_SELF).saturating_sub(own)));
    outcome::nothing_left(&mut farm, &mut verdict)?;
    super::judge(&mut farm, &mut verdict);
    Ok(verdict)
}
