//! The servers behind a farm's doors: real ones, started for one run on free ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use lazaret_tests::support::http_fault::{Fault, HttpFault, Request};
use lazaret_tests::support::proxy::Proxy;
use lazaret_tests::support::rabbitmq::RabbitMq;
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};
use lazaret_tests::support::s3_server::{BUCKET, S3Server};

use super::doors::Doors;
use super::{FarmError, usage};

/// RabbitMQ, Redis and an S3 server.
pub struct Servers {
    /// The broker.
    pub broker: RabbitMq,
    /// The way to the broker of those that are to be cut off from it.
    pub detour: Proxy,
    /// The cache.
    pub redis: RedisServer,
    s3: S3Server,
    /// In front of the S3 server, where it is to fail.
    proxy: Option<HttpFault>,
    failing: Arc<AtomicBool>,
    holding: Arc<AtomicBool>,
    kept: Arc<AtomicU64>,
}

/// Of how many requests to the S3 server one fails, while it is to.
const ONE_IN: usize = 12;
/// How long a record is held up, while they are to be.
const HELD: Duration = Duration::from_millis(1500);

impl Servers {
    /// Starts all three; with `faults` the S3 server can be told to fail.
    ///
    /// # Errors
    /// A program is not installed.
    pub fn start(faults: bool) -> Result<Self, FarmError> {
        let broker = RabbitMq::start().ok_or(FarmError::Missing("rabbitmq-server"))?;
        let redis = RedisServer::start(RedisOptions::default()).ok_or(FarmError::Missing("redis-server"))?;
        let detour = Proxy::start(broker.address);
        let (s3, kept) = (S3Server::s3s(), Arc::new(AtomicU64::new(0)));
        let (failing, holding) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let told = (Arc::clone(&failing), Arc::clone(&holding), Arc::clone(&kept));
        let proxy = faults.then(|| {
            HttpFault::start(s3.address, move |request, number| {
                let (failing, holding, kept) = &told;
                let mut fault = failing.load(Ordering::Relaxed).then(|| fault(number)).flatten();
                if fault.is_none() && is_record(request) {
                    kept.fetch_add(1, Ordering::Relaxed);
                    fault = holding.load(Ordering::Relaxed).then_some(Fault::Slow(HELD));
                }
                fault
            })
        });
        Ok(Self { broker, detour, redis, s3, proxy, failing, holding, kept })
    }

    /// Whether requests to the S3 server fail now and then.
    pub fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// Whether each record of a layer takes its time, where the S3 server can be told to fail.
    pub fn hold(&self, holding: bool) {
        self.holding.store(holding, Ordering::Relaxed);
    }

    /// How many records of layers the S3 server was given, where it can be told to fail: each is an analysis that came to
    /// its end.
    pub fn records(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Where the servers are.
    pub fn doors(&self) -> Doors {
        Doors {
            queue: self.broker.url(),
            cache: self.redis.url(None),
            store: format!("s3://{BUCKET}/farm?path-style=true"),
        }
    }

    /// What tells our processes which S3 server it is, and who they are there.
    pub fn credentials(&self) -> Vec<(&'static str, String)> {
        let address = self.proxy.as_ref().map_or(self.s3.address, |proxy| proxy.address);
        vec![
            ("AWS_ENDPOINT_URL_S3", format!("http://{address}")),
            ("AWS_ACCESS_KEY_ID", self.s3.credentials.0.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.s3.credentials.1.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// CPU time of broker and cache so far; the S3 server is part of this process.
    pub fn cpu(&self) -> Duration {
        let processes = self.broker.process_id().into_iter().chain(self.redis.process_id());
        processes.map(|id| usage::of(id).cpu).sum()
    }

    /// How many bytes Redis holds.
    ///
    /// # Errors
    /// It does not say.
    pub fn redis_bytes(&self) -> Result<u64, FarmError> {
        let memory = self.redis.command(&["INFO", "memory"]);
        let used = memory.lines().find_map(|line| line.trim().strip_prefix("used_memory_dataset:")?.parse().ok());
        used.ok_or_else(|| FarmError::Odd("redis does not say how much memory it uses".into()))
    }
}

/// What happens to the request with this number: a refusal, a moment's weakness, or a connection that ends.
fn fault(number: usize) -> Option<Fault> {
    if !number.is_multiple_of(ONE_IN) {
        return None;
    }
    Some(match number / ONE_IN % 3 {
        0 => Fault::Answer(500, "InternalError"),
        1 => Fault::Answer(503, "SlowDown"),
        _ => Fault::Reset,
    })
}

/// Whether a request puts the record of a layer; not that of a failure, nor what a worker tries a store with.
fn is_record(request: &Request) -> bool {
    request.method == "PUT" && request.target.contains("/layers/sha256") && !request.target.contains("/failed-")
}
