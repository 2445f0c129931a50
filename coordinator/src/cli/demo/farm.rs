//! The farm of a demonstration: servers that are given or found on this machine, and workers beside this program.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use super::super::farm_doors::DoorArgs;
use super::super::{Failure, settings};
use super::workers::Workers;
use crate::doors::Doors;

const RABBITMQ: u16 = 5672;
const REDIS: u16 = 6379;

/// Which farm.
#[derive(Debug, Args)]
#[command(next_help_heading = "Farm")]
pub(super) struct FarmArgs {
    /// Scan through RabbitMQ, Redis and a store that processes share, with workers that are started for it
    #[arg(long)]
    farm: bool,
    /// The queue: amqp://HOST[,HOST…], of a broker whose tasks no other workers take [default: $LAZARET_QUEUE, else RabbitMQ
    /// on this machine]
    #[arg(long, value_name = "URL", requires = "farm")]
    queue: Option<String>,
    /// The cache: redis://HOST and so on, or none: [default: $LAZARET_CACHE, else Redis on this machine]
    #[arg(long, value_name = "URL", requires = "farm")]
    cache: Option<String>,
    /// The store: s3://BUCKET/PREFIX or file:PATH [default: $LAZARET_STORE, else a temporary directory]
    #[arg(long, value_name = "URL", requires = "farm")]
    store: Option<String>,
    /// How many workers to start [default: 2]
    #[arg(long, value_name = "N", requires = "farm", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
}

/// A farm that can be opened.
pub(super) struct Plan {
    queue: String,
    cache: String,
    store: Option<String>,
    workers: u16,
    executable: PathBuf,
}

impl FarmArgs {
    /// What is to be used; nothing without `--farm`.
    ///
    /// # Errors
    /// Something is missing.
    pub(super) fn plan(&self) -> Result<Option<Plan>, Failure> {
        if !self.farm {
            return Ok(None);
        }
        let given = |option: &Option<String>, variable| option.clone().or_else(|| settings::door(variable));
        let queue = match given(&self.queue, "LAZARET_QUEUE") {
            Some(url) => url,
            None => found("RabbitMQ", RABBITMQ, "--queue amqp://HOST")
                .map(|address| format!("amqp://guest:guest@{address}"))?,
        };
        if queue == "memory:" {
            return Err(Failure::new(
                "memory: is no queue for other processes; name a broker with --queue amqp://HOST",
            ));
        }
        let cache = match given(&self.cache, "LAZARET_CACHE") {
            Some(url) => url,
            None => found("Redis", REDIS, "--cache redis://HOST, or --cache none:")
                .map(|address| format!("redis://{address}"))?,
        };
        let store = given(&self.store, "LAZARET_STORE");
        if store.as_deref() == Some("memory:") {
            return Err(Failure::new(
                "memory: is no store for other processes; write --store file:PATH, or s3://BUCKET/PREFIX",
            ));
        }
        Ok(Some(Plan { queue, cache, store, workers: self.workers.unwrap_or(2), executable: executable()? }))
    }
}

/// A server at its usual place.
fn found(server: &str, port: u16, option: &str) -> Result<SocketAddr, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
        Ok(_) => Ok(address),
        Err(error) => Err(Failure::new(format_args!(
            "no {server} answers at {address} ({error}); start one there, or write {option}"
        ))),
    }
}

/// `lazaret-worker`, beside this program.
fn executable() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(Failure::new)?;
    let worker = own.with_file_name("lazaret-worker");
    if worker.is_file() {
        return Ok(worker);
    }
    Err(Failure::new(format_args!(
        "there is no {}; build it: cargo build --release --package lazaret-worker",
        worker.display()
    )))
}

impl Plan {
    /// How many workers.
    pub(super) fn workers(&self) -> u16 {
        self.workers
    }

    /// Opens the doors, which makes the queues, and starts the workers for the registry at `address`.
    pub(super) async fn open(
        &self,
        workers: &Workers,
        directory: &Path,
        address: SocketAddr,
    ) -> Result<Doors, Failure> {
        let store = self.store.clone().unwrap_or_else(|| format!("file:{}", directory.join("store").display()));
        let doors = DoorArgs::new(self.queue.clone(), self.cache.clone(), store.clone()).open().await?;
        for number in 1..=self.workers {
            let mut command = Command::new(&self.executable);
            // By the environment: arguments are for everybody on the machine to read, and a URL may hold a password.
            command.env("LAZARET_QUEUE", &self.queue).env("LAZARET_CACHE", &self.cache).env("LAZARET_STORE", &store);
            command.env("LAZARET_REGISTRY", address.to_string()).env("LAZARET_INSECURE_REGISTRY", address.to_string());
            command.env("LAZARET_LISTEN", "none");
            workers.start(&mut command, &directory.join(format!("worker-{number}.log")))?;
        }
        Ok(doors)
    }
}
