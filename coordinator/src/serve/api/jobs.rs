//! The routes of jobs: submit, list, show, cancel, results.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::job::{JobPage, JobView, NewJob, ResultPage, SCHEMA};
use super::Api;
use super::access::Caller;
use super::part::Part;
use super::problem::Problem;
use super::token::Scope;

/// How many rows an answer has unless asked otherwise, and at most.
const ROWS: usize = 100;
const MAX_ROWS: usize = 1_000;

/// `POST /v1/jobs`
pub(super) async fn submit(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    // A page of another site can have a browser send a text, but no JSON.
    if !is_json(request.headers()) {
        let detail = "a job is JSON: write `Content-Type: application/json`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let _place = api.submissions.acquire().await.map_err(|_| Problem::busy("the service ends"))?;
    let body = Bytes::from_request(request, &()).await;
    let body = body.map_err(|rejection| Problem::new(rejection.status(), &rejection.body_text()))?;
    let job: NewJob = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, &format!("malformed job: {error}")))?;
    drop(body);
    let today = jiff::Zoned::now().date().to_string();
    let job = job.checked(&today).map_err(|e| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &e.to_string()))?;
    let job = api.jobs.submit(job, &caller.name).await?;
    let location = HeaderValue::try_from(format!("/v1/jobs/{}", job.id));
    let mut response = (StatusCode::ACCEPTED, Json(job)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Page<A> {
    after: Option<A>,
    limit: Option<usize>,
}

impl<A> Page<A> {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(ROWS).clamp(1, MAX_ROWS)
    }
}

type Asked<A> = Result<Query<Page<A>>, axum::extract::rejection::QueryRejection>;

fn page<A: DeserializeOwned>(asked: Asked<A>) -> Result<Page<A>, Problem> {
    asked.map(|Query(page)| page).map_err(|rejection| Problem::new(StatusCode::BAD_REQUEST, &rejection.body_text()))
}

/// `GET /v1/jobs`
pub(super) async fn list(State(api): State<Arc<Api>>, asked: Asked<String>) -> Result<Json<JobPage>, Problem> {
    let page = page(asked)?;
    if page.after.as_deref().is_some_and(|after| !is_id(after)) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "`after` is the id of a job"));
    }
    let jobs = api.jobs.list(page.after.as_deref(), page.limit()).await?;
    let next = jobs.last().filter(|_| jobs.len() >= page.limit()).map(|job| job.id.clone());
    Ok(Json(JobPage { schema: SCHEMA, jobs, next }))
}

/// `GET /v1/jobs/{id}`
pub(super) async fn show(State(api): State<Arc<Api>>, Part(id): Part) -> Result<Json<JobView>, Problem> {
    existing(&api, &id).await.map(Json)
}

/// `DELETE /v1/jobs/{id}`
pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Part(id): Part,
) -> Result<Json<JobView>, Problem> {
    let job = existing(&api, &id).await?;
    if *job.by != *caller.name && !caller.may(Scope::Admin) {
        // Whoever may not read does not learn that there is such a job.
        return Err(match caller.may(Scope::Read) {
            true => {
                Problem::new(StatusCode::FORBIDDEN, "another token submitted it; cancelling takes that one, or `admin`")
            }
            false => Problem::not_found(),
        });
    }
    api.jobs.cancel(&id).await?.map(Json).ok_or_else(Problem::not_found)
}

/// `GET /v1/jobs/{id}/results`
pub(super) async fn results(
    State(api): State<Arc<Api>>,
    Part(id): Part,
    asked: Asked<usize>,
) -> Result<Json<ResultPage>, Problem> {
    let page = page(asked)?;
    let after = page.after.unwrap_or(0);
    let results = match is_id(&id) {
        true => api.jobs.results(&id, after, page.limit()).await?,
        false => None,
    };
    let results = results.ok_or_else(Problem::not_found)?;
    let next = (results.len() >= page.limit()).then(|| after.saturating_add(results.len()));
    Ok(Json(ResultPage { schema: SCHEMA, results, next }))
}

/// The job, or that there is none.
pub(super) async fn existing(api: &Api, id: &str) -> Result<JobView, Problem> {
    let job = if is_id(id) { api.jobs.get(id).await? } else { None };
    job.ok_or_else(Problem::not_found)
}

/// Whether a text can be the id of a job; what is none is asked of nobody.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
