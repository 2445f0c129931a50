//! What can go wrong between us and a registry.

use std::path::PathBuf;
use std::time::Duration;

use super::address::AddressError;
use super::shown_url::ShownUrl;
use crate::digest::Digest;
use crate::door::source::SourceError;

/// Why a registry did not yield what was asked. Texts of the registry are cut to 256 bytes and made visible.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// 401: it wants credentials, or others than these.
    #[error("{host} does not let us read {repository}: {detail}")]
    Unauthorized {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// What it said.
        detail: String,
        /// What to do.
        hint: String,
    },
    /// 403: it knows us and says no.
    #[error("{host} forbids reading {repository}: {detail}")]
    Forbidden {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// What it said.
        detail: String,
    },
    /// 404.
    #[error("{host} has no {what} in {repository}")]
    NotFound {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// `tag …`, `manifest …` or `blob …`.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// 429 or 5xx: it may be better later.
    #[error("{url} answered {status}: {detail}")]
    Busy {
        /// What was asked.
        url: ShownUrl,
        /// The status.
        status: u16,
        /// What it said.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Any other status that is no success.
    #[error("{url} answered {status}: {detail}")]
    Status {
        /// What was asked.
        url: ShownUrl,
        /// The status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// No connection, or one that broke.
    #[error("{url}: {reason}")]
    Connection {
        /// What was asked.
        url: ShownUrl,
        /// Why.
        reason: String,
    },
    /// Its certificate is not to be trusted.
    #[error("{url}: {reason}")]
    Certificate {
        /// What was asked.
        url: ShownUrl,
        /// Why.
        reason: String,
    },
    /// The body trickles.
    #[error("{url}: only {received} bytes in {seconds} s")]
    Stalled {
        /// What was asked.
        url: ShownUrl,
        /// Bytes of the last period.
        received: u64,
        /// Its length.
        seconds: u64,
    },
    /// It leads to an address that is off limits.
    #[error("{url}: {reason}")]
    Address {
        /// What was asked.
        url: ShownUrl,
        /// Which address, and why.
        reason: AddressError,
    },
    /// A redirect that is not followed.
    #[error("{url}: redirect not followed: {reason}")]
    Redirect {
        /// What was asked.
        url: ShownUrl,
        /// Why not.
        reason: &'static str,
    },
    /// A place for tokens that is not used.
    #[error("{host} wants a token of {realm}, which is refused: {reason}")]
    Realm {
        /// The registry.
        host: String,
        /// The place.
        realm: String,
        /// Its host.
        realm_host: String,
        /// Why not.
        reason: &'static str,
    },
    /// More bytes than such a thing may have.
    #[error("{url}: more than {limit} bytes")]
    TooLarge {
        /// What was asked.
        url: ShownUrl,
        /// The limit.
        limit: u64,
    },
    /// Not as many bytes as its descriptor says.
    #[error("blob {digest}: the manifest says {expected} bytes, the registry has {actual}")]
    Length {
        /// The blob.
        digest: Digest,
        /// According to the descriptor.
        expected: u64,
        /// According to the registry; where it sent too many, those until they were.
        actual: u64,
    },
    /// Content of another digest than the one asked for.
    #[error("{what} does not match its digest: expected {expected}, found {actual}")]
    Digest {
        /// `tag …`, `manifest …` or `blob …`.
        what: String,
        /// The digest asked for.
        expected: Digest,
        /// That of the content.
        actual: Digest,
    },
    /// An answer that is none.
    #[error("{url}: {reason}")]
    Malformed {
        /// What was asked.
        url: ShownUrl,
        /// What is wrong.
        reason: String,
    },
    /// Docker schema 1.
    #[error("{url} is in Docker's manifest schema 1, which does not tell what layers unpack to")]
    Schema1 {
        /// What was asked.
        url: ShownUrl,
    },
    /// A file of certificate authorities that cannot be used.
    #[error("certificate authorities in {path}: {reason}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client cannot be built.
    #[error(
        "no HTTPS client: {0}\nhint: install the system's certificates (Debian: ca-certificates) or name some with --ca-file"
    )]
    Client(String),
}

impl RegistryError {
    /// Whether the registry was asked too often in a while.
    pub(super) fn is_limit(&self) -> bool {
        matches!(self, Self::Busy { status: 429, .. })
    }

    /// Whether the same request may succeed later: the world failed, not the request.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Connection { .. } | Self::Stalled { .. })
    }

    /// What a person may do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Unauthorized { hint, .. } => return Some(hint.clone()),
            Self::NotFound { hint, .. } => hint,
            Self::Forbidden { .. } => "the credentials in use need the right to pull this repository",
            Self::Certificate { .. } => {
                "name the authority that signed the certificate with --ca-file or, failing that, the host with --insecure-registry"
            }
            Self::Realm { host, realm_host, .. } => {
                return Some(format!("if the two belong together, say so with --trust-realm {host}={realm_host}"));
            }
            Self::Schema1 { .. } => "pull and push the image again with a current docker, podman or skopeo",
            Self::Client(_) => {
                "install the system's certificates (Debian: ca-certificates), or name some with --ca-file"
            }
            Self::Busy { .. } => "the registry is busy or limits how much it answers; try again later, or log in",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// The error as the image source door has it; `reference` is what was asked for.
    pub fn about(self, reference: impl ToString) -> SourceError {
        let (hint, transient) = (self.hint(), self.is_transient());
        match self {
            Self::Length { digest, expected, actual } => SourceError::SizeMismatch { digest, expected, found: actual },
            Self::Digest { what, expected, actual } => SourceError::DigestMismatch { what, expected, found: actual },
            other => {
                SourceError::Remote { reference: reference.to_string(), reason: other.to_string(), hint, transient }
            }
        }
    }

    /// When the registry wants to be asked again, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Busy { retry_after, .. } = self { *retry_after } else { None }
    }
}
