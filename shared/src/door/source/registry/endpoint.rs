//! The server behind the host of an image reference, and how it may be spoken to.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use reqwest::Url;

use super::address::is_loopback_name;
use super::gate::Gate;

/// A registry: where it is, and what its host allows.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The host as the reference has it, which is what credentials are bound to.
    pub(super) host: String,
    /// `host[:port]` that answers.
    authority: String,
    /// Whether it is on this machine.
    pub(super) loopback: bool,
    /// Whether the user said that it may do without a certificate, or without TLS.
    pub(super) insecure: bool,
    /// The protocol that it turned out to speak.
    scheme: OnceLock<Scheme>,
    /// How fast it may be asked.
    pub(super) gate: Gate,
}

/// Transport of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Endpoint {
    /// The endpoint of `host`; `docker.io` is served by a machine of another name.
    pub(super) fn new(host: &str, insecure: &BTreeSet<String>) -> Self {
        let host = host.to_ascii_lowercase();
        let authority = if host == "docker.io" { "registry-1.docker.io".to_owned() } else { host.clone() };
        let name = without_port(&authority);
        Self {
            loopback: is_loopback_name(name),
            insecure: insecure.contains(&host),
            scheme: OnceLock::new(),
            gate: Gate::default(),
            host,
            authority,
        }
    }

    /// The protocols to try, in order. Only https, but: on this machine plain http first, since nobody listens in between
    /// and certificates are rare there; where the user allows it, plain http after https.
    pub(super) fn schemes(&self) -> &'static [Scheme] {
        match (self.scheme.get(), self.loopback, self.insecure) {
            (Some(Scheme::Http), ..) => &[Scheme::Http],
            (Some(Scheme::Https), ..) | (None, false, false) => &[Scheme::Https],
            (None, true, _) => &[Scheme::Http, Scheme::Https],
            (None, false, true) => &[Scheme::Https, Scheme::Http],
        }
    }

    /// Remembers the protocol that it speaks; from now on it is held to that.
    pub(super) fn settle(&self, scheme: Scheme) {
        let _ = self.scheme.set(scheme);
    }

    /// The URL of `path` (which begins with `/v2/`) under `scheme`; `None` where the host makes none.
    pub(super) fn url(&self, scheme: Scheme, path: &str) -> Option<Url> {
        let scheme = if scheme == Scheme::Http { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{}{path}", self.authority)).ok()
    }

    /// Whether `url` is on this very server, port included.
    pub(super) fn owns(&self, url: &Url) -> bool {
        [Scheme::Http, Scheme::Https].iter().any(|scheme| {
            self.url(*scheme, "/").is_some_and(|own| {
                own.scheme() == url.scheme() && own.host_str() == url.host_str() && own.port() == url.port()
            })
        })
    }

    /// The host of the server without its port, as URLs have it.
    pub(super) fn name(&self) -> &str {
        without_port(&self.authority)
    }
}

/// `host` of `host[:port]`, brackets of IPv6 kept.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_the_vouched_for_speak_plain_http() {
        let insecure = BTreeSet::from(["lab.example:5000".to_owned()]);
        let schemes = |host: &str| Endpoint::new(host, &insecure).schemes();
        assert_eq!(schemes("quay.io"), [Scheme::Https]);
        assert_eq!(schemes("lab.example"), [Scheme::Https], "vouched for with its port only");
        assert_eq!(schemes("lab.example:5000"), [Scheme::Https, Scheme::Http]);
        assert_eq!(schemes("127.0.0.1:5000"), [Scheme::Http, Scheme::Https]);
        assert_eq!(schemes("[::1]:5000"), [Scheme::Http, Scheme::Https]);
        let endpoint = Endpoint::new("lab.example:5000", &insecure);
        endpoint.settle(Scheme::Https);
        endpoint.settle(Scheme::Http);
        assert_eq!(endpoint.schemes(), [Scheme::Https], "no way back to plain http");
    }

    #[test]
    fn docker_hub_is_elsewhere() {
        let hub = Endpoint::new("docker.io", &BTreeSet::new());
        assert_eq!(hub.url(Scheme::Https, "/v2/").unwrap().as_str(), "https://registry-1.docker.io/v2/");
        assert_eq!((hub.host.as_str(), hub.name()), ("docker.io", "registry-1.docker.io"));
    }

    #[test]
    fn owns_its_port_only() {
        let endpoint = Endpoint::new("r.example:5000", &BTreeSet::new());
        assert!(endpoint.owns(&"https://r.example:5000/x".parse().unwrap()));
        for url in ["https://r.example/x", "https://r.example:5001/", "https://s.example:5000/"] {
            assert!(!endpoint.owns(&url.parse().unwrap()), "{url}");
        }
    }
}
