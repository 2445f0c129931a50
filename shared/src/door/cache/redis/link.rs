//! The one connection of a cache: made when it is first needed, given up when it is of no use any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::{RedisError, TlsCertificates};
use tokio::sync::Mutex;

use super::address::Address;
use super::connect::{Connection, connect};
use super::failure::Failure;

/// How long making a connection may take in all, Sentinels and nodes of a Cluster included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to connect to, and the connection if there is one.
pub struct Link {
    address: Address,
    certificates: Option<TlsCertificates>,
    current: RwLock<Option<Numbered>>,
    /// Held by the one who connects.
    connecting: Mutex<()>,
    /// How many attempts have ended; also what connections are numbered with.
    attempts: AtomicU64,
}

/// A connection and its number, so that the failure of an old one does not end a new one.
#[derive(Clone)]
pub struct Numbered {
    /// What to ask through.
    pub connection: Connection,
    /// Which one it is.
    pub number: u64,
}

impl Link {
    /// Connects to nothing yet.
    pub fn new(address: Address, certificates: Option<Vec<u8>>) -> Arc<Self> {
        let certificates = certificates.map(|root| TlsCertificates { client_tls: None, root_cert: Some(root) });
        let (current, connecting, attempts) = Default::default();
        Arc::new(Self { address, certificates, current, connecting, attempts })
    }

    /// The connection. Where there is none, one is being made, and goes on being made when the caller stops waiting: a
    /// server far away may take longer than the budget of a request.
    pub async fn connection(self: &Arc<Self>) -> Result<Numbered, Failure> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let seen = self.attempts.load(Ordering::Acquire);
        let link = Arc::clone(self);
        // The task ends in an error only where the runtime ends.
        tokio::spawn(async move { link.connect_after(seen).await }).await.unwrap_or(Err(Failure::Connection))
    }

    async fn connect_after(&self, seen: u64) -> Result<Numbered, Failure> {
        let _connecting = self.connecting.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        if self.attempts.load(Ordering::Acquire) != seen {
            // Somebody tried while we waited; the next request tries again.
            return Err(Failure::Connection);
        }
        let outcome = tokio::time::timeout(PATIENCE, connect(&self.address, self.certificates.as_ref())).await;
        let number = self.attempts.fetch_add(1, Ordering::AcqRel);
        match outcome {
            Err(_) => Err(Failure::Timeout),
            Ok(Err(error)) => Err(why_not_connected(&error)),
            Ok(Ok(connection)) => {
                let numbered = Numbered { connection, number };
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(numbered.clone());
                Ok(numbered)
            }
        }
    }

    /// Gives up connection `number`.
    pub fn forget(&self, number: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|current| current.number == number);
    }

    /// Gives up whatever connection there is.
    pub fn forget_any(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self) -> Option<Numbered> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A server that does not let us in, for whatever reason, is not there: a [`Failure`] that is silence.
fn why_not_connected(error: &RedisError) -> Failure {
    match Failure::from(error) {
        Failure::Authentication => Failure::Authentication,
        Failure::Timeout => Failure::Timeout,
        _ => Failure::Connection,
    }
}
