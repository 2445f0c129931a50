//! The HTTP API: jobs in, reports out, for whoever has a token.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::token_file::TokenFile;
use super::jobs::Jobs;

mod access;
mod connections;
mod counted;
mod documents;
mod events;
mod health;
mod jobs;
mod limits;
mod loopback;
mod part;
mod problem;
mod route;
pub mod token;
mod token_file;

pub use access::Access;
pub use limits::Limits;
pub use loopback::{BindError, check_bind};
pub use route::{ROUTES, Route};
pub use token::Scope;
pub(crate) use token_file::{moment as token_expiry, names as token_names};

/// The OpenAPI document of [`ROUTES`].
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// How the API is served.
pub struct ApiOptions {
    /// The file that lists the tokens. Without one every caller may do everything, on loopback alone.
    pub tokens: Option<PathBuf>,
    /// The metrics as Prometheus reads them.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// What one caller can take from the others.
    pub limits: Limits,
}

/// What every request needs.
struct Api {
    jobs: Arc<dyn Jobs>,
    tokens: Option<TokenFile>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    limits: Limits,
    /// Requests that are being answered.
    requests: Semaphore,
    /// Submissions whose bodies are in memory.
    submissions: Semaphore,
    /// Callers that follow a job.
    followers: Arc<Semaphore>,
    /// Whether the service ends; whoever follows a job is let go then.
    ending: watch::Receiver<bool>,
}

/// Serves the API until `shutdown`; then answers what was asked, for [`Limits::grace`] at most.
///
/// # Errors
/// The tokens cannot be read, or there are none where there have to be ([`check_bind`]).
pub async fn serve_api(
    listener: TcpListener,
    jobs: Arc<dyn Jobs>,
    options: ApiOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let ApiOptions { tokens, metrics, limits } = options;
    refuse_open_bind(listener.local_addr()?, tokens.as_deref())?;
    let tokens = tokens.map(TokenFile::open).transpose().map_err(io::Error::other)?;
    let (end, ending) = watch::channel(false);
    let api = Api {
        jobs,
        tokens,
        metrics,
        requests: Semaphore::new(limits.requests),
        submissions: Semaphore::new(limits.submissions),
        followers: Arc::new(Semaphore::new(limits.followers)),
        limits,
        ending,
    };
    connections::serve(listener, route::router(Arc::new(api)), &limits, end, shutdown).await;
    Ok(())
}

fn refuse_open_bind(address: SocketAddr, tokens: Option<&Path>) -> io::Result<()> {
    check_bind(address, tokens).map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))
}
