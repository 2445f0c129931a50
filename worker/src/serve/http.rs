//! Health, readiness and metrics over HTTP.

use std::net::SocketAddr;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::Metrics;
use super::state::State;

/// Listens at `address`, or nowhere for `none`.
///
/// # Errors
/// It is no address, or not a free one.
pub(super) async fn listen(address: &str) -> std::io::Result<Option<TcpListener>> {
    match address {
        "none" => Ok(None),
        address => {
            let address: SocketAddr = address
                .parse()
                .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidInput, "write ADDRESS:PORT or none"))?;
            TcpListener::bind(address).await.map(Some)
        }
    }
}

/// Answers until it is dropped.
pub(super) async fn answer(listener: TcpListener, state: State, metrics: Option<Metrics>) {
    let ended = axum::serve(listener, routes(state, metrics)).await;
    tracing::error!(?ended, "health is not served any more");
}

fn routes(state: State, metrics: Option<Metrics>) -> Router {
    let counted = move || {
        let text = metrics.as_ref().map(|render| render()).unwrap_or_default();
        async { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text) }
    };
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(counted))
        .with_state(state)
}

async fn ready(Shared(state): Shared<State>) -> impl IntoResponse {
    let readiness = state.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}
