//! What one caller can take from the others: bytes, time, places.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::problem::Problem;

/// The limits of the API.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a request may take, reading its body included; following a job is none.
    pub time: Duration,
    /// Requests that are answered at once.
    pub requests: usize,
    /// Submissions among them: each may hold a body in memory, and what was read from it.
    pub submissions: usize,
    /// Callers that follow a job.
    pub followers: usize,
    /// Open connections.
    pub connections: usize,
    /// How long what was asked may take to be answered when the service ends.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 16 << 20,
            time: Duration::from_secs(30),
            requests: 256,
            submissions: 4,
            followers: 512,
            connections: 1024,
            grace: Duration::from_secs(10),
        }
    }
}

/// Answers a request if there is a place for it, and in time.
pub(super) async fn bounded(State(api): State<Arc<Api>>, request: Request, next: Next) -> Result<Response, Problem> {
    let _place = api.requests.try_acquire().map_err(|_| Problem::busy("too many requests at once"))?;
    let answered = tokio::time::timeout(api.limits.time, next.run(request)).await;
    answered.map_err(|_| Problem::busy("no answer in time; what was asked may have been done all the same"))
}
