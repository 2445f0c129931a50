//! `lazaret serve`: a coordinator of the farm.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use lazaret::door::source::registry::{Credentials, Registry};
use lazaret::telemetry::{self, Service as Kind, TelemetryOptions};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};

use super::farm_doors::DoorArgs;
use super::registry::RegistryArgs;
use super::searching::{self, SearchArgs};
use super::{Failure, settings};
use crate::local::{self, Sources};
use crate::plan::{self, Planner};
use crate::serve::api::{ApiOptions, Limits, check_bind, serve_api};
use crate::serve::{Farm, FarmOptions, Service, observe};

/// Coordinate a farm: take jobs over HTTP, plan them, and publish their reports
///
/// Any number of coordinators serve one farm; each job has one owner, and when that dies another goes on with it. Registry
/// credentials are those of `docker login` and `podman login`. With the default doors everything is in this one process.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where the API is served
    #[arg(long, value_name = "ADDRESS:PORT", env = "LAZARET_LISTEN", default_value = "127.0.0.1:8070")]
    listen: SocketAddr,
    /// The file that lists who may do what; `lazaret token new` makes its entries. Without it the API is open, and served to
    /// this machine only
    #[arg(long, value_name = "FILE", env = "LAZARET_TOKENS")]
    tokens: Option<PathBuf>,
    /// The advisory snapshot, or the directory that has one [default: below the user's data directory]
    #[arg(long, value_name = "FILE", env = "LAZARET_ADVISORIES")]
    advisories: Option<PathBuf>,
    /// Tasks that are published and not done yet, at most
    #[arg(long, value_name = "N", env = "LAZARET_WINDOW", default_value = "20000")]
    window: u32,
    /// Images of one job that are looked at at a time
    #[arg(long, value_name = "N", env = "LAZARET_IMAGES_AT_ONCE", default_value = "128", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    images_at_once: u32,
    /// After how long a task that the broker has and nobody has done is published again; twice the deadline of the workers,
    /// or more
    #[arg(long, value_name = "SECONDS", env = "LAZARET_PATIENCE", default_value = "1200", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    doors: DoorArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        check_bind(self.listen, self.tokens.as_deref()).map_err(Failure::new)?;
        let options = TelemetryOptions::from_environment(Kind::Coordinator).map_err(Failure::new)?;
        let told = telemetry::init(&options).map_err(Failure::new)?;
        // Half of the machine composes and matches; waking more cores for every answer of a server costs more than it brings.
        let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().div_ceil(2).max(2));
        let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
        let runtime = runtime.map_err(Failure::new)?;
        runtime.block_on(self.serve(Arc::new(told.renderer())))?;
        told.shutdown();
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self, metrics: Arc<dyn Fn() -> String + Send + Sync>) -> Result<(), Failure> {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::new)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::new)?;
        let doors = self.doors.open().await?;
        let registry = Registry::new(self.registry.options(Credentials::from_environment()));
        let (window, patience) = (self.window.max(1) as usize, Duration::from_secs(self.patience));
        let options = plan::Options { window, patience, ..plan::Options::default() };
        let searching = self.search.open(settings::identity_key()?)?;
        searching::keep(&doors.store, &searching).await?;
        let planner = Arc::new(Planner::start(doors.clone(), searching, options));
        let _workers = self.doors.is_embedded().then(|| {
            let sources = Sources::of_registries(registry.clone().opener(Handle::current()));
            local::start(&planner, &sources)
        });
        let home = settings::advisory_home(self.advisories.as_deref())?;
        let options = FarmOptions { images_at_once: self.images_at_once as usize, ..FarmOptions::default() };
        let farm = Farm::new(planner, registry, home, options);
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| Failure::new(format_args!("cannot listen on {}: {error}", self.listen)))?;
        let address = listener.local_addr().map_err(Failure::new)?;
        tracing::info!(%address, "serving");
        let running = farm.run();
        let observing = observe::start(&farm);
        let stopped = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!(
                "told to stop; jobs go on wherever another coordinator is, or when this one is started again"
            );
        };
        let service = Arc::new(Service::new(Arc::clone(&farm)));
        let options = ApiOptions { tokens: self.tokens, metrics, limits: Limits::default() };
        serve_api(listener, service, options, stopped).await.map_err(Failure::new)?;
        drop((running, observing));
        doors.queue.close().await;
        Ok(())
    }
}
