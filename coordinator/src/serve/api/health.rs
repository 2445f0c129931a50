//! How the service is: alive, ready, and in figures.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Api;
use super::problem::Problem;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: jobs can be taken. Anybody may ask, so why not is said in the log alone.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, Problem> {
    api.jobs.ready().await.map_err(|reason| {
        tracing::warn!("not ready: {}", lazaret::text::visible(&reason));
        Problem::busy("not ready; the log of the service says why")
    })?;
    Ok("ready\n")
}

/// `GET /metrics`
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (api.metrics)())
}
