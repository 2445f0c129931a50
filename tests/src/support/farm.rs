//! A farm of a test: real servers, coordinators and workers as processes of their own, and what its API answers. Whatever
//! runs ends with the test.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::binary::of_this_build;
use super::process::{free_address, run};

mod api;
mod figures;
mod program;
mod servers;

pub use api::Api;
pub use figures::Figures;
pub use program::Program;
pub use servers::{Options as ServerOptions, Servers};

/// How long what is waited for may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// How a farm is made.
#[derive(Clone, Debug)]
pub struct FarmOptions {
    /// Registries on this machine that it may ask, without TLS.
    pub registries: Vec<SocketAddr>,
    /// The advisory snapshot, or the directory that has one.
    pub advisories: PathBuf,
    /// How many coordinators it has.
    pub coordinators: usize,
    /// How many workers.
    pub workers: usize,
    /// More environment variables of all; they win.
    pub environment: Vec<(String, String)>,
}

impl FarmOptions {
    /// One coordinator and one worker.
    pub fn new(registries: &[SocketAddr], advisories: &Path) -> Self {
        Self {
            registries: registries.to_vec(),
            advisories: advisories.to_owned(),
            coordinators: 1,
            workers: 1,
            environment: Vec::new(),
        }
    }
}

/// A running farm.
pub struct Farm {
    /// Its coordinators.
    pub coordinators: Vec<Program>,
    /// Their APIs, in the same order.
    pub apis: Vec<Api>,
    /// Its workers.
    pub workers: Vec<Program>,
    /// Where each of these tells how it is.
    pub worker_addresses: Vec<SocketAddr>,
    /// The servers.
    pub servers: Servers,
    options: FarmOptions,
    directory: TempDir,
}

impl Farm {
    /// Starts coordinators and workers on `servers`, and waits until all are ready.
    ///
    /// # Panics
    /// They do not become ready.
    pub fn start(servers: Servers, options: FarmOptions) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut farm = Self {
            coordinators: Vec::new(),
            apis: Vec::new(),
            workers: Vec::new(),
            worker_addresses: Vec::new(),
            servers,
            options,
            directory,
        };
        for number in 0..farm.options.coordinators {
            let address = free_address();
            let mut command = farm.command("lazaret");
            command.args(["serve", "--listen", &address.to_string(), "--advisories"]).arg(&farm.options.advisories);
            farm.coordinators.push(Program::start(command, &farm.log(&format!("coordinator-{number}"))));
            farm.apis.push(Api(address));
        }
        for _ in 0..farm.options.workers {
            farm.add_worker();
        }
        for api in &farm.apis {
            api.wait_until_ready();
        }
        for address in &farm.worker_addresses {
            Api(*address).wait_until_ready();
        }
        farm
    }

    /// Starts one more worker.
    pub fn add_worker(&mut self) {
        self.add_worker_with(&[]);
    }

    /// Starts one more worker, with these environment variables of its own.
    pub fn add_worker_with(&mut self, environment: &[(&str, &str)]) {
        let address = free_address();
        let mut command = self.command("lazaret-worker");
        command.args(["--listen", &address.to_string()]).envs(environment.iter().copied());
        self.workers.push(Program::start(command, &self.log(&format!("worker-{}", self.workers.len()))));
        self.worker_addresses.push(address);
    }

    /// A program of ours, with the environment of this farm and no other.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(of_this_build(name));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.directory.path()).envs(self.servers.environment());
        let registries: Vec<String> = self.options.registries.iter().map(ToString::to_string).collect();
        command.env("LAZARET_INSECURE_REGISTRY", registries.join(","));
        command.envs(self.options.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.log"))
    }

    /// What all processes have said so far.
    pub fn logs(&self) -> String {
        self.coordinators.iter().chain(&self.workers).map(Program::said).collect()
    }

    /// The first coordinator's API.
    ///
    /// # Panics
    /// There is no coordinator.
    pub fn api(&self) -> Api {
        self.apis[0]
    }

    /// Waits until nothing is left in any queue, among the dead letters or claimed.
    ///
    /// # Panics
    /// Something stays.
    pub fn verify_empty(&self) {
        // What has ended is acknowledged a moment later.
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < limit, "left in the end: {left:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn left(&self) -> Vec<String> {
        let columns = ["name", "messages_ready", "messages_unacknowledged"];
        let queues =
            self.servers.broker.rabbitmqctl(&[&["list_queues", "--no-table-headers"], columns.as_slice()].concat());
        let rows: Vec<Vec<&str>> = queues.lines().map(|line| line.split('\t').collect()).collect();
        assert!(rows.iter().any(|row| row[0] == "lazaret.dead"), "no queue of dead letters in {queues}");
        // Announcements, in queues that the broker named, were heard when they are unacknowledged: that is said of many at once.
        let is_left = |row: &&Vec<&str>| row[1] != "0" || row[2] != "0" && row[0].starts_with("lazaret.");
        let mut left: Vec<String> = rows.iter().filter(is_left).map(|row| row.join(" ")).collect();
        if let Some(cache) = &self.servers.cache {
            let claims = cache.command(&["--scan", "--pattern", "lazaret:claim:*"]);
            left.extend(claims.lines().filter(|key| !key.is_empty()).map(str::to_owned));
        }
        left
    }

    /// Declares what queues are missing, as an administrator does.
    pub fn declare_queues(&self) {
        run(self.command("lazaret").args(["queues", "declare"]));
    }
}

impl Drop for Farm {
    #[expect(clippy::print_stderr, reason = "what the farm said is wanted where a test fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for program in self.coordinators.iter().chain(&self.workers) {
                let said = program.said();
                let start = said.char_indices().rev().nth(1500).map_or(0, |(at, _)| at);
                eprintln!("--- {}\n{}", program.log().display(), &said[start..]);
            }
        }
    }
}
