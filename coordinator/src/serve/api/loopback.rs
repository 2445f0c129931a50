//! Without tokens the API is for this machine alone, and for no web page that a browser on it shows.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use axum::http::header::{HOST, HeaderMap};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};

use super::problem::Problem;

/// An address that others reach, and no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} can be reached by others, so the API needs tokens there: make one with `lazaret token new --name NAME --scope scan,read --append FILE` and give the file, or bind to 127.0.0.1"
)]
pub struct BindError(pub SocketAddr);

/// Whether the API may listen there: anywhere with tokens, on loopback without.
///
/// # Errors
/// [`BindError`].
pub fn check_bind(address: SocketAddr, tokens: Option<&Path>) -> Result<(), BindError> {
    if tokens.is_some() || address.ip().to_canonical().is_loopback() { Ok(()) } else { Err(BindError(address)) }
}

/// A page of another site may have the browser ask a name of its own that leads here (DNS rebinding): its requests carry
/// that name. And what a page asks across sites carries the page's origin.
pub(super) fn check_host(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_loopback) {
        let detail = "without tokens only requests to localhost, 127.0.0.1 or [::1] are answered";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if headers.contains_key(header::ORIGIN) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "without tokens no web page is answered"));
    }
    Ok(())
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        for name in ["localhost", "LOCALHOST:1", "127.0.0.1:80", "127.9.9.9", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "[::2]", "0.0.0.0"]
        {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn only_loopback_needs_no_tokens() {
        for open in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            let open = open.parse().unwrap();
            let error = check_bind(open, None).unwrap_err().to_string();
            assert!(error.contains(&open.to_string()) && error.contains("lazaret token new"), "{error}");
            check_bind(open, Some(Path::new("tokens.toml"))).unwrap();
        }
        for own in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1"] {
            check_bind(own.parse().unwrap(), None).unwrap();
        }
    }
}
