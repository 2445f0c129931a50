//! What a farm answers when it does not do what it was asked, and how much of an answer is read.

use std::error::Error;

use lazaret::text::visible;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::Address;

/// The most bytes of an error that are read.
const MAX_PROBLEM: usize = 64 << 10;

/// Why a farm did not do what it was asked. What it says itself was made visible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FarmError {
    /// There is no HTTP client.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    /// Nobody answered, or not to the end.
    #[error("cannot reach the farm at {farm}: {reason}")]
    Unreachable {
        /// Where.
        farm: String,
        /// Why.
        reason: String,
    },
    /// Somebody else answered.
    #[error("what answers at {farm} is no farm of lazaret (status {status}); look at the address")]
    NoFarm {
        /// Where.
        farm: String,
        /// The status of the answer.
        status: u16,
    },
    /// 401.
    #[error("the farm does not accept the token: {0}; set LAZARET_TOKEN or write --token-file FILE")]
    Token(String),
    /// 403.
    #[error("the farm refuses that: {0}")]
    Forbidden(String),
    /// 404.
    #[error("the farm does not know it: {0}")]
    NotFound(String),
    /// 503.
    #[error("the farm cannot do that now: {detail}; try again in {retry_after_s} s")]
    Busy {
        /// What it says.
        detail: String,
        /// When to try again.
        retry_after_s: u32,
    },
    /// Any other error.
    #[error("the farm refuses that ({status}): {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        detail: String,
    },
}

impl FarmError {
    /// Whether the same may work in a while.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            // A proxy in front of a farm that is just being started answers so.
            Self::Refused { status, .. } | Self::NoFarm { status, .. } => *status >= 500,
            Self::Client(_) | Self::Token(_) | Self::Forbidden(_) | Self::NotFound(_) => false,
        }
    }
}

/// An answer that is no success.
pub(super) async fn refused(farm: &Address, response: Response) -> FarmError {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let retry_after_s = header("retry-after").and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
    let is_problem =
        header("content-type").is_some_and(|media_type| media_type.starts_with("application/problem+json"));
    let no_farm = FarmError::NoFarm { farm: farm.to_string(), status: status.as_u16() };
    if !is_problem {
        return no_farm;
    }
    let problem = match body(farm, response, MAX_PROBLEM).await {
        Ok(body) => serde_json::from_slice::<Problem>(&body),
        Err(error) => return error,
    };
    let Ok(Problem { detail }) = problem else { return no_farm };
    let detail = detail.lines().map(visible).collect::<Vec<_>>().join("\n");
    match status {
        StatusCode::UNAUTHORIZED => FarmError::Token(detail),
        StatusCode::FORBIDDEN => FarmError::Forbidden(detail),
        StatusCode::NOT_FOUND => FarmError::NotFound(detail),
        StatusCode::SERVICE_UNAVAILABLE => FarmError::Busy { detail, retry_after_s },
        _ => FarmError::Refused { status: status.as_u16(), detail },
    }
}

/// The body of an answer, of at most `limit` bytes.
pub(super) async fn body(farm: &Address, mut response: Response, limit: usize) -> Result<Vec<u8>, FarmError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(farm, &error))? {
        if body.len() + chunk.len() > limit {
            let reason = format!("its answer is longer than {limit} bytes");
            return Err(FarmError::Unreachable { farm: farm.to_string(), reason });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A connection that could not be made, or that broke.
pub(super) fn unreachable(farm: &Address, error: &reqwest::Error) -> FarmError {
    FarmError::Unreachable { farm: farm.to_string(), reason: innermost(error) }
}

/// The reason at the bottom: what is above it says no more than that something failed.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut reason: &dyn Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    visible(&reason.to_string()).into_owned()
}
