//! Health, readiness and metrics over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use super::state::State;

/// Bounds of the histogram of durations, in seconds.
const SECONDS: [f64; 12] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];
/// How often the histograms are tidied; what was observed since waits in memory.
const TIDY: Duration = Duration::from_secs(5);

/// Makes this process count. Only the first call does; the metrics of a process have one home.
///
/// # Errors
/// There is one already.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().set_buckets(&SECONDS)?.install_recorder()
}

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
pub(super) async fn answer(listener: TcpListener, state: State, metrics: Option<PrometheusHandle>) {
    let tidying = async {
        loop {
            tokio::time::sleep(TIDY).await;
            metrics.iter().for_each(PrometheusHandle::run_upkeep);
        }
    };
    let serving = axum::serve(listener, routes(state, metrics.clone()));
    tokio::select! {
        result = serving => tracing::error!(?result, "health is not served any more"),
        () = tidying => {}
    }
}

fn routes(state: State, metrics: Option<PrometheusHandle>) -> Router {
    let counted = move || {
        let text = metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
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
