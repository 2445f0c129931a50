//! What an answer of an S3 server that is not a success means for us.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::door::store::StoreError;
use crate::text::visible;

/// Why there is no answer of the wanted kind.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such object.
    Absent,
    /// The object is not the one that the condition named.
    Changed,
    /// Somebody else is writing the same key at this moment.
    Raced,
    /// Asking again may help, after this pause where the server names one.
    Again { reason: String, after: Option<Duration> },
    /// Asking again does not help.
    Refused(String),
}

impl Failure {
    pub(super) fn again(reason: impl Into<String>) -> Self {
        Self::Again { reason: reason.into(), after: None }
    }

    /// The word for it in a metric.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Changed => "changed",
            Self::Raced => "raced",
            Self::Again { .. } => "again",
            Self::Refused(_) => "refused",
        }
    }

    /// As the error of the door, where no other meaning was expected.
    pub(super) fn into_error(self, bucket: &str) -> StoreError {
        let unexpected = |what: &str| StoreError::Unavailable(format!("bucket `{bucket}`: unexpected answer: {what}"));
        match self {
            Self::Absent => unexpected("not found"),
            Self::Changed => unexpected("precondition failed"),
            Self::Raced => unexpected("another writer is at work"),
            Self::Again { reason, .. } => StoreError::Unavailable(format!("bucket `{bucket}`: {reason}")),
            Self::Refused(reason) => StoreError::Refused(format!("bucket `{bucket}`: {reason}")),
        }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let Some(response) = error.raw_response() else { return unanswered(&error) };
        let after = response.headers().get("retry-after").and_then(|after| after.parse().ok()).map(Duration::from_secs);
        answered(response.status().as_u16(), error.code().unwrap_or_default(), error.message(), after)
    }
}

/// No answer came: the network, a time-out, or credentials that there are none of.
fn unanswered(error: &(dyn Error + 'static)) -> Failure {
    let mut reasons = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref() {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                return Failure::Refused(
                    "no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into(),
                );
            }
            Some(CredentialsError::InvalidConfiguration(_)) => {
                return Failure::Refused("the credentials are not usable; check AWS_PROFILE and its files".into());
            }
            _ => {}
        }
        let reason = error.to_string();
        if !reasons.contains(&reason) {
            reasons += if reasons.is_empty() { "" } else { ": " };
            reasons += &reason;
        }
        next = error.source();
    }
    Failure::again(shown(&reasons))
}

/// Codes under any status that say the same request may succeed: our bytes were harmed on the way, our clock is wrong (the
/// SDK learns the server's from the answer), or the server had a bad moment.
const PASSING: &[&str] = &[
    "BadDigest",
    "IncompleteBody",
    "InternalError",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
];

fn answered(status: u16, code: &str, message: Option<&str>, after: Option<Duration>) -> Failure {
    let said = || shown(&[&status.to_string(), code, message.unwrap_or_default()].join(" "));
    match (status, code) {
        (_, code) if PASSING.contains(&code) => Failure::Again { reason: said(), after },
        (404, "NoSuchBucket") => Failure::Refused(format!(
            "{}; there is no such bucket: make it, or correct the store's URL or AWS_ENDPOINT_URL_S3",
            said()
        )),
        (404, _) => Failure::Absent,
        (412, _) => Failure::Changed,
        (409, _) => Failure::Raced,
        (501 | 505, _) => Failure::Refused(said()),
        // A success that is not what was asked for: an error in the body, or half an answer.
        (200..=299 | 408 | 425 | 429 | 500.., _) => Failure::Again { reason: said(), after },
        (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" | "ExpiredToken" | "InvalidToken") => {
            Failure::Refused(format!("{}; check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", said()))
        }
        (301 | 307, _) | (_, "AuthorizationHeaderMalformed") => {
            Failure::Refused(format!("{}; check AWS_REGION and AWS_ENDPOINT_URL_S3", said()))
        }
        (401 | 403, _) => Failure::Refused(format!(
            "{}; check the policy of these credentials (without s3:ListBucket, S3 answers a missing key like this too)",
            said()
        )),
        _ => Failure::Refused(said()),
    }
}

/// Text of a server, made short and safe to show.
fn shown(text: &str) -> String {
    let mut short: String = text.trim_end().chars().take(300).collect();
    if short.len() < text.trim_end().len() {
        short.push('…');
    }
    visible(&short).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        for (status, code, expected) in [
            (404, "NoSuchKey", "absent"),
            (404, "", "absent"),
            (404, "NoSuchBucket", "refused"),
            (404, "NoSuchUpload", "absent"),
            (412, "PreconditionFailed", "changed"),
            (409, "ConditionalRequestConflict", "raced"),
            (403, "", "refused"),
            (403, "AccessDenied", "refused"),
            (403, "RequestTimeTooSkewed", "again"),
            (401, "", "refused"),
            (400, "InvalidRequest", "refused"),
            (400, "RequestTimeout", "again"),
            (400, "XAmzContentSHA256Mismatch", "again"),
            (301, "PermanentRedirect", "refused"),
            (429, "", "again"),
            (500, "InternalError", "again"),
            (502, "", "again"),
            (503, "SlowDown", "again"),
            (501, "NotImplemented", "refused"),
            (200, "InternalError", "again"),
            (200, "", "again"),
        ] {
            assert_eq!(answered(status, code, None, None).outcome(), expected, "{status} {code}");
        }
    }

    #[test]
    fn what_a_server_says_is_short_and_safe() {
        let Failure::Refused(said) = answered(400, "X\u{1b}[31m", Some(&"long ".repeat(1000)), None) else { panic!() };
        assert!(said.starts_with("400 X\\x1b[31m long") && said.len() < 400 && said.ends_with('…'), "{said}");
    }
}
