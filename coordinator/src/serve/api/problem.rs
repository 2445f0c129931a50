//! An error as the API answers it: `application/problem+json` (RFC 9457).

use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Response};
use lazaret::text::visible;
use serde_json::json;

use super::super::jobs::JobsError;

/// A status with what to do about it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// An answer with this status. The detail is made visible, since parts of it may come from anybody.
    pub(super) fn new(status: StatusCode, detail: &str) -> Self {
        let detail = detail.lines().map(visible).collect::<Vec<_>>().join("\n");
        Self { status, detail, retry_after_s: None }
    }

    /// There is no such thing: nor would there be for whoever may not know.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such thing here")
    }

    /// Try again in a moment.
    pub(super) fn busy(detail: &str) -> Self {
        Self { retry_after_s: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Invalid(reason) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, &reason),
            JobsError::Unavailable { reason, retry_after_s } => {
                Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, &reason) }
            }
            JobsError::Internal(reason) => {
                tracing::error!("a request failed: {}", visible(&reason));
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "an error of the service; its log has more")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let body =
            json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        let mut response = HttpResponse::new(body.to_string().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lazaret\""));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
