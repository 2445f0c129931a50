//! One request and its redirects, with every hop looked at before anything is sent there.

use std::error::Error;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, Url};

use super::address::{self, AddressError};
use super::clients::{Clients, Kind, Trust};
use super::endpoint::Endpoint;
use super::error::RegistryError;
use super::meter::Meter;
use super::shown_url::ShownUrl;

/// Redirects that one request may take.
const REDIRECTS: usize = 5;

/// A request to be sent.
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Go along on every hop.
    pub(super) headers: HeaderMap,
    /// Goes to the scheme, host and port of `url` only.
    pub(super) authorization: Option<&'a HeaderValue>,
    /// Of a POST, which is not redirected.
    pub(super) form: Option<String>,
    /// Counts every hop.
    pub(super) meter: &'a Meter,
}

/// Sends `request` on behalf of `endpoint` and follows at most five redirects: never from https to http, never to an
/// address that is off limits, and with `Authorization` only while scheme, host and port stay the same. The answer may
/// have any status but a redirect.
pub(super) async fn send(
    clients: &Clients,
    endpoint: &Endpoint,
    request: Request<'_>,
) -> Result<Response, RegistryError> {
    let first = request.url.clone();
    let mut url = request.url;
    for _ in 0..=REDIRECTS {
        let client = clients.get(kind(endpoint, &url)?)?;
        let mut hop = client.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        if let Some(authorization) = request.authorization
            && same_origin(&url, &first)
        {
            hop = hop.header(AUTHORIZATION, authorization);
        }
        if let Some(form) = &request.form {
            hop = hop.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
        }
        request.meter.sent();
        let response = hop.send().await.map_err(|error| classify(&url, &error))?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(response);
        }
        let refuse = |reason| RegistryError::Redirect { url: (&url).into(), reason };
        if request.form.is_some() {
            return Err(refuse("it would send credentials along"));
        }
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let mut next = location.and_then(|to| url.join(to).ok()).ok_or_else(|| refuse("it leads nowhere"))?;
        if url.scheme() == "https" && next.scheme() != "https" {
            return Err(refuse("it leads from https to something else"));
        }
        // A password in the URL would be sent as if it were ours. Only URLs without a host, which are refused before
        // they are asked, cannot lose it.
        let _ = (next.set_username(""), next.set_password(None));
        url = next;
    }
    Err(RegistryError::Redirect { url: (&first).into(), reason: "there are more than five of them" })
}

/// What the client for `url` may trust; an error where nobody may be asked for it.
fn kind(endpoint: &Endpoint, url: &Url) -> Result<Kind, RegistryError> {
    let refuse = |reason| RegistryError::Redirect { url: url.into(), reason };
    let host = url.host_str().ok_or_else(|| refuse("it leads nowhere"))?;
    let vouched = endpoint.insecure && endpoint.owns(url);
    let loopback = endpoint.loopback || vouched;
    if let Some(literal) = address::literal(host) {
        address::check(literal, loopback).map_err(|reason| RegistryError::Address { url: url.into(), reason })?;
    }
    let trust = match url.scheme() {
        "http" if endpoint.loopback && address::is_loopback_name(host) => Trust::Nothing,
        // Trusts no certificate since none is shown, but may take a proxy.
        "http" if vouched => Trust::Anything,
        "https" if vouched => Trust::Anything,
        "https" => Trust::Authorities,
        "http" => return Err(refuse("plain http is for this machine and for --insecure-registry")),
        _ => return Err(refuse("it is neither http nor https")),
    };
    Ok(Kind { trust, loopback })
}

/// Whether what is meant for `a` may be sent to `b`.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

/// Tells the failures that pass from those that do not.
pub(super) fn classify(url: &Url, error: &reqwest::Error) -> RegistryError {
    let url = ShownUrl::from(url);
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(reason) = error.downcast_ref::<AddressError>() {
            return RegistryError::Address { url, reason: reason.clone() };
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return RegistryError::Certificate { url, reason: innermost(error) };
        }
        // An I/O error does not list what it wraps among its sources.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    let reason = match () {
        () if error.is_timeout() => "no answer in time".to_owned(),
        // Not the error itself, whose text has the URL with its query.
        () => error.source().map_or_else(|| "the request failed".to_owned(), innermost),
    };
    RegistryError::Connection { url, reason }
}

/// The first cause of `error`, which is the one that says something; cut and visible.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text: String = deepest.to_string().chars().take(256).collect();
    crate::text::visible(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn hops_are_judged() {
        let insecure = BTreeSet::from(["lab.example:5000".to_owned()]);
        let judge = |host: &str, url: &str| {
            kind(&Endpoint::new(host, &insecure), &url.parse().unwrap()).map(|kind| kind.trust).map_err(drop)
        };
        assert_eq!(judge("quay.io", "https://cdn.example/x"), Ok(Trust::Authorities));
        assert_eq!(judge("127.0.0.1:5000", "http://127.0.0.1:7000/"), Ok(Trust::Nothing));
        assert_eq!(judge("127.0.0.1:5000", "https://127.0.0.1:7000/"), Ok(Trust::Authorities));
        assert_eq!(judge("lab.example:5000", "http://lab.example:5000/"), Ok(Trust::Anything));
        assert_eq!(judge("lab.example:5000", "https://lab.example:5000/"), Ok(Trust::Anything));
        assert_eq!(judge("lab.example:5000", "https://cdn.example/"), Ok(Trust::Authorities));
        for (host, url) in [
            ("quay.io", "http://quay.io/"),
            ("quay.io", "https://127.0.0.1/"),
            ("quay.io", "https://[::ffff:127.0.0.1]/"),
            ("quay.io", "https://169.254.169.254/"),
            ("127.0.0.1:5000", "http://169.254.169.254/"),
            ("127.0.0.1:5000", "http://[::ffff:a9fe:a9fe]/"),
            ("127.0.0.1:5000", "http://0xa9fea9fe/"),
            ("127.0.0.1:5000", "http://example.com/"),
            ("lab.example:5000", "http://lab.example:5001/"),
            ("lab.example:5000", "https://127.0.0.1/"),
            ("quay.io", "file:///etc/passwd"),
            ("quay.io", "ftp://quay.io/"),
        ] {
            assert_eq!(judge(host, url), Err(()), "{host} {url}");
        }
    }
}
