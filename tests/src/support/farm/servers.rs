//! The servers that a farm works with: RabbitMQ, Redis unless it is done without, and S3, behind a proxy where it has to fail.

use super::super::http_fault::{Fault, HttpFault, Request};
use super::super::rabbitmq::RabbitMq;
use super::super::redis_server::{RedisOptions, RedisServer};
use super::super::s3_server::{BUCKET, S3Server};

/// Chooses what happens to a request to S3.
type Choose = Box<dyn Fn(&Request, usize) -> Option<Fault> + Send + Sync>;

/// Which servers there are.
#[derive(Default)]
pub struct Options {
    /// Whether there is no Redis.
    pub without_cache: bool,
    /// How Redis is started.
    pub redis: RedisOptions,
    /// What goes wrong with S3.
    pub s3_faults: Option<Choose>,
}

/// Running servers.
pub struct Servers {
    /// The broker.
    pub broker: RabbitMq,
    /// The cache, where there is one.
    pub cache: Option<RedisServer>,
    /// The store itself.
    pub store: S3Server,
    /// What stands before it.
    pub faults: Option<HttpFault>,
}

impl Servers {
    /// Starts them; `None`, loudly, where one is not installed.
    pub fn start(options: Options) -> Option<Self> {
        let cache = match options.without_cache {
            true => None,
            false => Some(RedisServer::start(options.redis)?),
        };
        let broker = RabbitMq::start()?;
        let store = S3Server::s3s();
        let faults = options.s3_faults.map(|choose| HttpFault::start(store.address, choose));
        Some(Self { broker, cache, store, faults })
    }

    /// How our programs are told of them.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let store = self.faults.as_ref().map_or(self.store.address, |faults| faults.address);
        let cache = self.cache.as_ref().map_or_else(|| "none:".to_owned(), |cache| cache.url(None));
        vec![
            ("LAZARET_QUEUE", self.broker.url()),
            ("LAZARET_CACHE", cache),
            ("LAZARET_STORE", format!("s3://{BUCKET}/farm")),
            ("AWS_ENDPOINT_URL_S3", format!("http://{store}")),
            ("AWS_ACCESS_KEY_ID", self.store.credentials.0.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.store.credentials.1.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}
