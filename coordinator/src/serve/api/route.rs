//! The routes, once: the router is made from this table, and a test holds the OpenAPI document against it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};

use super::access::{self, Access};
use super::problem::Problem;
use super::token::Scope;
use super::{Api, counted, documents, events, health, jobs, limits};

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    handler: fn() -> MethodRouter<Arc<Api>>,
}

const READ: Access = Access::Scope(Scope::Read);
const SCAN: Access = Access::Scope(Scope::Scan);

/// Every route.
pub static ROUTES: &[Route] = &[
    Route { method: Method::POST, path: "/v1/jobs", access: SCAN, handler: || post(jobs::submit) },
    Route { method: Method::GET, path: "/v1/jobs", access: READ, handler: || get(jobs::list) },
    Route { method: Method::GET, path: "/v1/jobs/{id}", access: READ, handler: || get(jobs::show) },
    Route { method: Method::DELETE, path: "/v1/jobs/{id}", access: SCAN, handler: || delete(jobs::cancel) },
    Route { method: Method::GET, path: "/v1/jobs/{id}/results", access: READ, handler: || get(jobs::results) },
    Route { method: Method::GET, path: "/v1/jobs/{id}/events", access: READ, handler: || get(events::follow) },
    Route { method: Method::GET, path: "/v1/reports/{id}", access: READ, handler: || get(documents::report) },
    Route {
        method: Method::GET,
        path: "/v1/exposures/{fingerprint}",
        access: READ,
        handler: || get(documents::exposed),
    },
    Route {
        method: Method::GET,
        path: "/v1/images/{digest}/inventory",
        access: READ,
        handler: || get(documents::inventory),
    },
    Route { method: Method::GET, path: "/openapi.json", access: Access::Token, handler: || get(documents::openapi) },
    Route { method: Method::GET, path: "/healthz", access: Access::Anybody, handler: || get(health::alive) },
    Route { method: Method::GET, path: "/readyz", access: Access::Anybody, handler: || get(health::ready) },
    Route { method: Method::GET, path: "/metrics", access: READ, handler: || get(health::metrics) },
];

/// The router of [`ROUTES`].
pub(super) fn router(api: Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = from_fn_with_state((Arc::clone(&api), route.access), access::guard);
        router = router.route(route.path, (route.handler)().route_layer(guard));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(api.limits.body))
        .layer(from_fn_with_state(Arc::clone(&api), limits::bounded))
        .layer(map_response(careful))
        .layer(from_fn(counted::counted))
        .with_state(api)
}

/// Nobody keeps or reinterprets an answer.
async fn careful(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn nothing_here(State(api): State<Arc<Api>>, headers: HeaderMap) -> Problem {
    access::admit(&api, Access::Token, &headers).err().unwrap_or_else(Problem::not_found)
}

async fn wrong_method(State(api): State<Arc<Api>>, headers: HeaderMap) -> Problem {
    let wrong =
        || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "the document at /openapi.json lists what can be asked");
    access::admit(&api, Access::Token, &headers).err().unwrap_or_else(wrong)
}
