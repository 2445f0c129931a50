//! A whole farm for one run: servers, coordinators, workers, and a client of its API. Everything ends when it is dropped.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lazaret::door::cache::{self, CacheSettings, SharedCache};
use lazaret::door::queue::{self, QueueError, QueueSettings, SharedQueue};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::fleet::advisories;

pub mod api;
pub mod counted;
pub mod doors;
pub mod floor;
mod guard;
mod left;
pub mod process;
pub mod servers;
pub mod storm;
pub mod usage;

use api::Api;
use counted::Counted;
use doors::Doors;
use guard::Guard;
pub use left::Left;
use process::Process;
use servers::Servers;

/// How a farm is made.
#[derive(Clone, Debug)]
pub struct FarmOptions {
    /// Where `lazaret` and `lazaret-worker` are.
    pub programs: PathBuf,
    /// The registry that it may ask, without TLS.
    pub registry: SocketAddr,
    /// The advisories, where several farms are to judge by one snapshot; a farm makes its own otherwise.
    pub advisories: Option<Arc<TempDir>>,
    /// Servers that somebody else has started; a farm starts its own otherwise.
    pub doors: Option<Doors>,
    /// How many coordinators it has.
    pub coordinators: usize,
    /// How many workers.
    pub workers: usize,
    /// How long a stub analysis takes, in milliseconds; real analyses if not given.
    pub stub: Option<u64>,
    /// Whether the S3 server can be told to fail.
    pub faults: bool,
    /// Who goes to the broker by [`Servers::detour`].
    pub detour: Detour,
    /// Whether workers serve their metrics.
    pub metrics: bool,
    /// More arguments of each coordinator.
    pub coordinator_arguments: Vec<String>,
    /// More arguments of each worker.
    pub worker_arguments: Vec<String>,
    /// More environment variables of all.
    pub environment: Vec<(&'static str, String)>,
}

impl FarmOptions {
    /// One coordinator and one worker that analyse what `registry` has.
    pub fn new(programs: &Path, registry: SocketAddr) -> Self {
        Self {
            programs: programs.to_owned(),
            registry,
            advisories: None,
            doors: None,
            coordinators: 1,
            workers: 1,
            stub: None,
            faults: false,
            detour: Detour::Nobody,
            metrics: false,
            coordinator_arguments: Vec::new(),
            worker_arguments: Vec::new(),
            environment: Vec::new(),
        }
    }
}

/// Who can be cut off from the broker, without the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detour {
    /// Nobody.
    Nobody,
    /// The coordinators.
    Coordinators,
    /// The workers.
    Workers,
}

/// Why there is no farm, or it did not do what a scenario needs.
#[derive(Debug, thiserror::Error)]
pub enum FarmError {
    /// A server that scenarios start.
    #[error("{0} is not installed; infra/set-up installs it")]
    Missing(&'static str),
    /// One of our programs.
    #[error("{0}: {1}; build it first, or say where it is with --bin DIR")]
    Process(String, #[source] io::Error),
    /// Something did not happen.
    #[error("{0}")]
    Late(String),
    /// The API did not answer, or oddly.
    #[error("the API: {0}")]
    Api(String),
    /// A door of our own.
    #[error("{0}")]
    Door(String),
    /// What was not expected at all.
    #[error("{0}")]
    Odd(String),
    /// Files.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A running farm.
pub struct Farm {
    /// The coordinators.
    pub coordinators: Vec<Process>,
    /// Their APIs, in the same order.
    pub apis: Vec<Api>,
    /// The workers.
    pub workers: Vec<Process>,
    /// Where they serve their metrics, if they do.
    metrics: Vec<SocketAddr>,
    /// The servers, where they were not given.
    pub servers: Option<Servers>,
    doors: Doors,
    /// The farm's queue, to look into.
    pub queue: SharedQueue,
    cache: SharedCache,
    options: FarmOptions,
    environment: Vec<(&'static str, String)>,
    advisories: Arc<TempDir>,
    guard: Guard,
    // Dropped last: what is above works with both.
    runtime: Runtime,
    directory: TempDir,
}

/// How long servers and our own processes may take to be ready on a busy machine.
const STARTING: Duration = Duration::from_secs(60);
impl Farm {
    /// Starts servers, coordinators and workers, and waits until jobs are taken.
    ///
    /// # Errors
    /// [`FarmError`].
    pub fn start(options: FarmOptions) -> Result<Self, FarmError> {
        let (servers, doors) = match &options.doors {
            Some(doors) => (None, doors.with_own_place()),
            None => {
                let servers = Servers::start(options.faults)?;
                let doors = servers.doors();
                (Some(servers), doors)
            }
        };
        let directory = tempfile::Builder::new().prefix("lazaret-loadtest-").tempdir()?;
        let mut environment = doors.environment();
        environment.extend(servers.iter().flat_map(Servers::credentials));
        environment.push(("LAZARET_INSECURE_REGISTRY", options.registry.to_string()));
        environment.push(("XDG_DATA_HOME", directory.path().join("data").display().to_string()));
        environment.push(("XDG_CACHE_HOME", directory.path().join("cache").display().to_string()));
        environment.extend(options.environment.iter().cloned());
        let advisories = match &options.advisories {
            Some(advisories) => Arc::clone(advisories),
            None => import_advisories(&options.programs)?,
        };
        let runtime = Runtime::new()?;
        let door = |error: &dyn std::fmt::Display| FarmError::Door(error.to_string());
        let settings = QueueSettings { name: "loadtest".into(), ..QueueSettings::default() };
        let opened = runtime.block_on(queue::open(&doors.queue, &settings));
        let queue = opened.map_err(|error| door(&error))?;
        let cache = cache::open(&doors.cache, CacheSettings::default()).map_err(|error| door(&error))?;
        let mut farm = Self {
            coordinators: Vec::new(),
            apis: Vec::new(),
            workers: Vec::new(),
            metrics: Vec::new(),
            servers,
            doors,
            queue,
            cache,
            environment,
            advisories,
            guard: Guard::start(directory.path())?,
            runtime,
            directory,
            options,
        };
        if farm.servers.is_none() {
            let left = farm.left_in_the_end()?;
            if left != Left::default() {
                return Err(FarmError::Odd(format!("the servers that were given are in use: {left:?}")));
            }
        }
        for _ in 0..farm.options.coordinators {
            farm.add_coordinator()?;
        }
        for _ in 0..farm.options.workers {
            farm.add_worker()?;
        }
        farm.until("coordinators that take jobs", STARTING, |farm| Ok(farm.apis.iter().all(Api::is_ready)))?;
        Ok(farm)
    }

    fn add_coordinator(&mut self) -> Result<(), FarmError> {
        let address = free_address()?;
        let mut arguments = vec!["serve".to_owned(), "--listen".into(), address.to_string()];
        arguments.extend(["--advisories".into(), self.advisories.path().join("home").display().to_string()]);
        arguments.extend(self.options.coordinator_arguments.iter().cloned());
        let log = self.directory.path().join(format!("coordinator-{}.log", self.coordinators.len()));
        let program = self.options.programs.join("lazaret");
        let environment = self.environment_of(Detour::Coordinators);
        let process = Process::start(&program, &arguments, &environment, &log, self.guard.list())?;
        self.coordinators.push(process);
        self.apis.push(Api::new(address, self.runtime.handle().clone())?);
        Ok(())
    }

    /// Starts one more worker.
    ///
    /// # Errors
    /// It does not start.
    pub fn add_worker(&mut self) -> Result<(), FarmError> {
        let listen = match self.options.metrics {
            true => {
                let address = free_address()?;
                self.metrics.push(address);
                address.to_string()
            }
            false => "none".to_owned(),
        };
        let mut arguments = vec!["--listen".to_owned(), listen];
        if let Some(millis) = self.options.stub {
            arguments.extend(["--analyser".into(), format!("stub:{millis}"), "--allow-stub".into()]);
        }
        arguments.extend(self.options.worker_arguments.iter().cloned());
        let log = self.directory.path().join(format!("worker-{}.log", self.workers.len()));
        let program = self.options.programs.join("lazaret-worker");
        let environment = self.environment_of(Detour::Workers);
        let process = Process::start(&program, &arguments, &environment, &log, self.guard.list())?;
        self.workers.push(process);
        Ok(())
    }

    /// What one kind of process is told.
    fn environment_of(&self, kind: Detour) -> Vec<(&'static str, String)> {
        let mut environment = self.environment.clone();
        if self.options.detour == kind
            && let Some(servers) = &self.servers
        {
            environment.push(("LAZARET_QUEUE", servers.broker.url_by(servers.detour.address)));
        }
        environment
    }

    /// What a worker counts, where workers serve their metrics.
    ///
    /// # Errors
    /// It does not say.
    pub fn counted(&self, worker: usize) -> Result<Counted, FarmError> {
        let address = self.metrics.get(worker).ok_or_else(|| FarmError::Odd("this worker serves no metrics".into()))?;
        Counted::fetch(*address, &self.runtime)
    }

    /// Declares the queues that are missing.
    ///
    /// # Errors
    /// The broker does not let us.
    pub fn declare_queues(&self) -> Result<(), FarmError> {
        let door = |error: QueueError| FarmError::Door(error.to_string());
        self.runtime.block_on(async {
            queue::open(&self.doors.queue, &QueueSettings::default()).await.map_err(door)?.close().await;
            Ok(())
        })
    }

    /// The servers that were started for this farm.
    ///
    /// # Errors
    /// Others were given.
    pub fn servers(&mut self) -> Result<&mut Servers, FarmError> {
        doors::own(&mut self.servers)
    }

    /// CPU time of broker and cache so far, where they are this farm's.
    pub fn servers_cpu(&self) -> Duration {
        self.servers.as_ref().map(Servers::cpu).unwrap_or_default()
    }

    /// The first coordinator's API.
    ///
    /// # Panics
    /// The farm has no coordinator.
    pub fn api(&self) -> &Api {
        &self.apis[0]
    }

    /// Where async code of scenarios runs.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// CPU time of coordinators and workers so far.
    pub fn cpu(&self) -> (Duration, Duration) {
        let sum = |processes: &[Process]| processes.iter().map(|process| process.usage().cpu).sum();
        (sum(&self.coordinators), sum(&self.workers))
    }

    /// Waits for something.
    ///
    /// # Errors
    /// It did not come, asking for it failed to the last, or one of our processes ended meanwhile.
    pub fn until(
        &mut self,
        what: &str,
        patience: Duration,
        mut is_so: impl FnMut(&mut Self) -> Result<bool, FarmError>,
    ) -> Result<Duration, FarmError> {
        let start = Instant::now();
        loop {
            let so = is_so(self);
            if matches!(so, Ok(true)) {
                return Ok(start.elapsed());
            }
            self.check_alive()?;
            if start.elapsed() > patience {
                let last = so.err().map(|error| format!(": {error}")).unwrap_or_default();
                return Err(FarmError::Late(format!("waited {patience:?} in vain for {what}{last}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn check_alive(&mut self) -> Result<(), FarmError> {
        for process in self.coordinators.iter_mut().chain(&mut self.workers) {
            if process.has_ended() {
                let log = fs::read_to_string(process.log()).unwrap_or_default();
                let start = log.char_indices().rev().nth(2000).map_or(0, |(at, _)| at);
                return Err(FarmError::Late(format!("one of our processes ended: {}", &log[start..])));
            }
        }
        Ok(())
    }

    /// Keeps the logs when the farm ends; where they are.
    pub fn keep_logs(&mut self) -> PathBuf {
        self.directory.disable_cleanup(true);
        self.directory.path().to_owned()
    }
}

/// Compiles the advisories about what synthetic images hold: the first night's.
///
/// # Errors
/// `lazaret` does not run, or does not like them.
pub fn import_advisories(programs: &Path) -> Result<Arc<TempDir>, FarmError> {
    let directory = tempfile::Builder::new().prefix("lazaret-loadtest-").tempdir()?;
    let (records, home) = (directory.path().join("osv"), directory.path().join("home"));
    fs::create_dir(&records)?;
    fs::create_dir(&home)?;
    for record in advisories(1) {
        let id = record["id"].as_str().unwrap_or_default();
        fs::write(records.join(format!("{id}.json")), record.to_string())?;
    }
    let program = programs.join("lazaret");
    let mut command = Command::new(&program);
    command.args(["advisories", "import"]).arg(&records).arg("--advisories").arg(&home);
    let output = command.output().map_err(|error| FarmError::Process(program.display().to_string(), error))?;
    match output.status.success() {
        true => Ok(Arc::new(directory)),
        false => Err(FarmError::Odd(format!("lazaret advisories: {}", String::from_utf8_lossy(&output.stderr)))),
    }
}

/// An address that nobody listened on a moment ago.
fn free_address() -> Result<SocketAddr, FarmError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
