//! One request, answered and counted.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use lazaret::digest::Digest;
use serde_json::{Value, json};

use super::Shared;
use super::body::{Part, body};
use super::content::{Blob, Content, Document};
use super::fault::Fault;
use super::route::{Route, range};

/// Answers.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let counters = &shared.counters;
    counters.requests.fetch_add(1, Relaxed);
    let throttle = &shared.options.throttle;
    if !throttle.latency.is_zero() {
        tokio::time::sleep(throttle.latency).await;
    }
    if throttle.requests_per_second.is_some_and(|per_second| !shared.requests.admits(per_second)) {
        return refused(&shared, StatusCode::TOO_MANY_REQUESTS);
    }
    let fault = shared.mishaps.as_ref().and_then(|mishaps| mishaps.next(request.uri().path()));
    match fault {
        Some(Fault::InternalError) => return refused(&shared, StatusCode::INTERNAL_SERVER_ERROR),
        Some(Fault::Unavailable) => return refused(&shared, StatusCode::SERVICE_UNAVAILABLE),
        Some(_) => drop(counters.maimed.fetch_add(1, Relaxed)),
        None => {}
    }
    let method = request.method().clone();
    if method != Method::GET && method != Method::HEAD {
        return error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED");
    }
    let response = match Route::of(request.uri().path()) {
        Some(Route::Version) => Ok(Some(json_answer(&json!({}), None))),
        Some(Route::Catalogue) => Ok(Some(catalogue(&shared, request.uri()).await)),
        Some(Route::Tags(repository)) => Ok(tags(&shared, repository, request.uri()).await),
        Some(Route::ByTag(repository, tag)) => {
            let (repository, tag) = (repository.to_owned(), tag.to_owned());
            let found = find(&shared, move |content| content.by_tag(&repository, &tag)).await;
            manifest(&shared, &method, found, fault).await
        }
        Some(Route::ByDigest(repository, digest)) => {
            let repository = repository.to_owned();
            let found = find(&shared, move |content| content.by_digest(&repository, &digest)).await;
            manifest(&shared, &method, found, fault).await
        }
        Some(Route::Blob(repository, digest)) => {
            let repository = repository.to_owned();
            let found = find(&shared, move |content| content.blob(&repository, &digest)).await;
            blob(&shared, &method, request.headers(), digest, found, fault).await
        }
        None => Ok(None),
    };
    match response {
        Ok(Some(response)) => response,
        Ok(None) => {
            counters.missing.fetch_add(1, Relaxed);
            error(StatusCode::NOT_FOUND, "NAME_UNKNOWN")
        }
        Err(_) => refused(&shared, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Asks the content on a thread that may take its time: it may have to generate an image.
async fn find<T: Send + 'static>(
    shared: &Arc<Shared>,
    ask: impl FnOnce(&dyn Content) -> Option<T> + Send + 'static,
) -> Option<T> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || ask(&*shared.content)).await.ok().flatten()
}

async fn manifest(
    shared: &Arc<Shared>,
    method: &Method,
    found: Option<Document>,
    fault: Option<Fault>,
) -> io::Result<Option<Response>> {
    let Some(Document { media_type, digest, body: bytes }) = found else { return Ok(None) };
    let is_head = *method == Method::HEAD;
    let count = if is_head { &shared.counters.manifest_heads } else { &shared.counters.manifest_gets };
    count.fetch_add(1, Relaxed);
    let length = bytes.len() as u64;
    let body = match fault {
        _ if is_head => Body::empty(),
        None => Body::from(bytes),
        Some(_) => body(shared, Part { blob: Blob::Memory(bytes), start: 0, length, is_counted: false }, fault).await?,
    };
    Ok(Some(content(StatusCode::OK, &media_type, digest, length, body)))
}

async fn blob(
    shared: &Arc<Shared>,
    method: &Method,
    headers: &HeaderMap,
    digest: Digest,
    found: Option<Blob>,
    fault: Option<Fault>,
) -> io::Result<Option<Response>> {
    let Some(found) = found else { return Ok(None) };
    let size = found.size();
    let media_type = "application/octet-stream";
    if *method == Method::HEAD {
        shared.counters.blob_heads.fetch_add(1, Relaxed);
        return Ok(Some(content(StatusCode::OK, media_type, digest, size, Body::empty())));
    }
    let asked = headers.get(header::RANGE).and_then(|value| range(value.to_str().ok()?, size));
    if asked.as_ref().is_some_and(|asked| asked.is_empty()) {
        let mut response = error(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UNKNOWN");
        set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
        return Ok(Some(response));
    }
    shared.counters.blob_get(digest);
    let Some(asked) = asked else {
        let body = body(shared, Part { blob: found, start: 0, length: size, is_counted: true }, fault).await?;
        return Ok(Some(content(StatusCode::OK, media_type, digest, size, body)));
    };
    shared.counters.range_gets.fetch_add(1, Relaxed);
    let (first, last) = (*asked.start(), *asked.end());
    let length = last + 1 - first;
    let body = body(shared, Part { blob: found, start: first, length, is_counted: true }, fault).await?;
    let mut response = content(StatusCode::PARTIAL_CONTENT, media_type, digest, length, body);
    set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{size}"));
    Ok(Some(response))
}

/// A list is at most so long unless the client asks for less.
const PAGE: usize = 1000;

/// What a client asks of a list: at most how many, and after which.
fn page(uri: &Uri) -> (usize, String) {
    let mut query = Query::<HashMap<String, String>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    let most = query.get("n").and_then(|n| n.parse().ok()).unwrap_or(PAGE).min(PAGE);
    (most, query.remove("last").unwrap_or_default())
}

async fn catalogue(shared: &Arc<Shared>, uri: &Uri) -> Response {
    let (most, last) = page(uri);
    // One more tells whether there is more.
    let found = find(shared, move |content| Some(content.repositories(&last, most + 1))).await.unwrap_or_default();
    list(found, most, "/v2/_catalog", |names| json!({ "repositories": names }))
}

async fn tags(shared: &Arc<Shared>, repository: &str, uri: &Uri) -> Option<Response> {
    let (most, last) = page(uri);
    let name = repository.to_owned();
    let mut found = find(shared, move |content| content.tags(&name)).await?;
    found.retain(|tag| *tag > last);
    let path = format!("/v2/{repository}/tags/list");
    Some(list(found, most, &path, |tags| json!({ "name": repository, "tags": tags })))
}

/// A page, and the link to the next one where there is one.
fn list(mut found: Vec<String>, most: usize, path: &str, form: impl FnOnce(&[String]) -> Value) -> Response {
    let is_more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| is_more);
    let next = next.map(|last| format!("<{path}?n={most}&last={}>; rel=\"next\"", last.replace('/', "%2F")));
    json_answer(&form(&found), next.as_deref())
}

fn json_answer(value: &Value, link: Option<&str>) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    set(&mut response, header::CONTENT_TYPE, "application/json");
    if let Some(link) = link {
        set(&mut response, header::LINK, link);
    }
    response
}

fn content(status: StatusCode, media_type: &str, digest: Digest, length: u64, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, media_type);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    set(&mut response, HeaderName::from_static("docker-content-digest"), &digest.to_string());
    response
}

/// An answer that whoever asks may try again for.
fn refused(shared: &Shared, status: StatusCode) -> Response {
    shared.counters.refused.fetch_add(1, Relaxed);
    let mut response =
        error(status, if status == StatusCode::TOO_MANY_REQUESTS { "TOOMANYREQUESTS" } else { "UNKNOWN" });
    if status == StatusCode::TOO_MANY_REQUESTS {
        set(&mut response, header::RETRY_AFTER, "1");
    }
    response
}

fn error(status: StatusCode, code: &str) -> Response {
    let mut response = json_answer(&json!({ "errors": [{ "code": code, "message": status.to_string() }] }), None);
    *response.status_mut() = status;
    response
}

/// Sets a header; a value that may not be one is left out.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
