//! `lazaret demo`: a fleet of made-up images in a registry on this machine, scanned on two nights.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use lazaret_loadtest::fleet::{Fleet, FleetOptions};
use lazaret_loadtest::registry::{RegistryOptions, SyntheticRegistry};
use tokio::runtime::{Builder, Handle};

use super::{Failure, output, temporary};

mod advisories;
mod farm;
mod figures;
mod first_night;
mod layers;
mod night;
mod oracle;
mod second_night;
mod show;
mod workers;

use advisories::Snapshots;
use figures::Figures;
use workers::Workers;

/// Watch a fleet of made-up images being scanned, with nothing but this machine
#[derive(Debug, Args)]
#[command(after_long_help = ABOUT)]
pub(super) struct Demo {
    /// What the fleet is made from: the same number, the same images
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// How many images there are
    #[arg(long, value_name = "N", default_value = "300", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    images: u32,
    /// Write the figures to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    farm: farm::FarmArgs,
}

const ABOUT: &str = "\
Some hundred images over shared bases are made from a seed and served by a registry on loopback. They are scanned through the \
whole pipeline; then, with the advisories of a second night, judged again without pulling anything. Packages and findings of \
every image are compared with what the seed says they are. Nothing is downloaded, and nothing is kept.

Exit status: 0; 2 after an error, or when anything else was found than is there.";

/// What both nights have in common.
struct Stage {
    fleet: Arc<Fleet>,
    registry: Arc<SyntheticRegistry>,
    snapshots: Snapshots,
    runtime: Handle,
}

impl Demo {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let start = Instant::now();
        // Before anything is built: what is missing is said at once.
        let plan = self.farm.plan()?;
        let workers = Workers::default();
        let directory = temporary::directory_and(advisories::write, workers.ender())?;
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(Failure::new)?;
        let figures = self.nights(plan.as_ref(), &workers, directory.path(), runtime.handle(), start);
        workers.end();
        // After an error there may be scans that wait for a registry which is gone.
        runtime.shutdown_background();
        let figures = figures?;
        if let Some(file) = &self.json {
            output::write(Some(file), |out| output::json(out, &figures))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn nights(
        &self,
        plan: Option<&farm::Plan>,
        workers: &Workers,
        directory: &Path,
        runtime: &Handle,
        start: Instant,
    ) -> Result<Figures, Failure> {
        let failed = |error: std::io::Error| Failure::new(format_args!("cannot serve the fleet: {error}"));
        let fleet = Arc::new(Fleet::new(FleetOptions { seed: self.seed, ..FleetOptions::of(self.images) }));
        let registry = SyntheticRegistry::start(Arc::clone(&fleet), RegistryOptions::default()).map_err(failed)?;
        let stage = Stage {
            fleet,
            registry: Arc::new(registry),
            snapshots: Snapshots::in_directory(directory),
            runtime: runtime.clone(),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(show::title(&stage, self.seed, plan).as_bytes())?;
        let night = first_night::scan(&stage, plan, workers, directory)?;
        out.write_all(show::first(&night).as_bytes())?;
        out.flush()?;
        let second = second_night::reassess(&stage, &night)?;
        runtime.block_on(night.planner.doors().queue.close());
        out.write_all(show::second(&second).as_bytes())?;
        let seconds = start.elapsed().as_secs_f64();
        writeln!(out, "\n{seconds:.1} s in all")?;
        out.flush()?;
        let farm_workers = plan.map(farm::Plan::workers);
        Ok(Figures { seed: self.seed, images: self.images, farm_workers, first: night.figures, second, seconds })
    }
}
