//! Requests as metrics: how many of each route came to what, and how long they took.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use lazaret::telemetry::metrics as names;

/// Answers a request, and counts it. What follows a job is answered as soon as it begins to.
pub(super) async fn counted(route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let response = next.run(request).await;
    // The path as the table has it: what a caller writes is never a label.
    let route = route.map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let status = response.status().as_u16().to_string();
    metrics::histogram!(names::HTTP_REQUEST_DURATION, "route" => route.clone()).record(start.elapsed());
    metrics::counter!(names::HTTP_REQUESTS, "route" => route, "status" => status).increment(1);
    response
}
