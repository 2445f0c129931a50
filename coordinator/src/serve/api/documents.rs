//! The routes of documents: reports, inventories, and the description of this API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use lazaret::digest::Digest;

use super::part::Part;
use super::problem::Problem;
use super::{Api, OPENAPI};
use crate::serve::exposed::Sightings;

/// `GET /v1/reports/{id}`
pub(super) async fn report(State(api): State<Arc<Api>>, Part(id): Part) -> Result<Response, Problem> {
    let is_id = id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let report = if is_id { api.jobs.report(&id).await? } else { None };
    report.map(json).ok_or_else(Problem::not_found)
}

/// `GET /v1/images/{digest}/inventory`
pub(super) async fn inventory(State(api): State<Arc<Api>>, Part(digest): Part) -> Result<Response, Problem> {
    let inventory = match digest.parse::<Digest>() {
        Ok(digest) => api.jobs.inventory(&digest).await?,
        Err(_) => None,
    };
    inventory.map(json).ok_or_else(Problem::not_found)
}

/// `GET /v1/exposures/{fingerprint}`
pub(super) async fn exposed(State(api): State<Arc<Api>>, Part(fingerprint): Part) -> Result<Json<Sightings>, Problem> {
    let is_fingerprint = fingerprint.len() == 32 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_fingerprint {
        return Err(Problem::not_found());
    }
    Ok(Json(api.jobs.exposed(&fingerprint.to_ascii_lowercase()).await?))
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> Response {
    json(OPENAPI)
}

fn json(document: impl Into<axum::body::Body>) -> Response {
    let mut response = document.into().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
