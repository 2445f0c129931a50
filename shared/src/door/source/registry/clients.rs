//! HTTP clients, each built when it is first needed: reading the system's certificates takes about ten milliseconds,
//! which a scan over plain http on this machine should not pay for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Certificate, Client, Url};

use super::address::CheckedResolver;
use super::error::RegistryError;
use super::patience::Patience;

/// The clients of one registry door.
#[derive(Debug)]
pub(super) struct Clients {
    built: Mutex<BTreeMap<Kind, Client>>,
    authorities: Vec<PathBuf>,
    patience: Patience,
    vouched: Arc<BTreeSet<String>>,
}

/// What a client trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Which certificates.
    pub(super) trust: Trust,
    /// Whether names may lead to this machine.
    pub(super) loopback: bool,
}

/// Which certificates a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// None, and no proxy either: plain http to this machine.
    Nothing,
    /// Those signed by the system's authorities and by the user's own.
    Authorities,
    /// Any: the user said so for this host.
    Anything,
}

impl Clients {
    /// `authorities` are PEM files; `insecure` the `host[:port]`s that may lead to this machine.
    pub(super) fn new(authorities: Vec<PathBuf>, patience: Patience, insecure: &BTreeSet<String>) -> Self {
        let hosts = insecure.iter().filter_map(|host| Url::parse(&format!("http://{host}")).ok());
        let vouched = hosts.chain(proxies()).filter_map(|url| url.host_str().map(str::to_owned)).collect();
        Self { built: Mutex::default(), authorities, patience, vouched: Arc::new(vouched) }
    }

    /// The client of this kind.
    pub(super) fn get(&self, kind: Kind) -> Result<Client, RegistryError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = built.get(&kind) {
            return Ok(client.clone());
        }
        let client = self.build(kind)?;
        built.insert(kind, client.clone());
        Ok(client)
    }

    fn build(&self, kind: Kind) -> Result<Client, RegistryError> {
        let builder = Client::builder()
            .user_agent(concat!("lazaret/", env!("CARGO_PKG_VERSION")))
            // Redirects are followed by the transport, which looks where they lead.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.patience.connect)
            .read_timeout(self.patience.idle)
            .dns_resolver(CheckedResolver { loopback: kind.loopback, vouched: Arc::clone(&self.vouched) });
        let builder = match kind.trust {
            Trust::Nothing => builder.no_proxy().tls_certs_only([]),
            Trust::Anything => builder.tls_danger_accept_invalid_certs(true),
            Trust::Authorities => builder.tls_certs_merge(self.own_authorities()?),
        };
        builder.build().map_err(|error| RegistryError::Client(super::transport::innermost(&error)))
    }

    fn own_authorities(&self) -> Result<Vec<Certificate>, RegistryError> {
        let mut all = Vec::new();
        for path in &self.authorities {
            let failed = |reason: String| RegistryError::Authorities { path: path.clone(), reason };
            let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
            if found.is_empty() {
                return Err(failed("no certificate in it".into()));
            }
            all.extend(found);
        }
        Ok(all)
    }
}

/// The proxies that the environment names, as the HTTP client reads it. A proxy on this machine is not what the rule
/// about this machine is for.
fn proxies() -> impl Iterator<Item = Url> {
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .filter_map(|value| match value.contains("://") {
            true => Url::parse(&value).ok(),
            false => Url::parse(&format!("http://{value}")).ok(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_are_none_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let kind = Kind { trust: Trust::Authorities, loopback: false };
        for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
            content.iter().for_each(|content| std::fs::write(&path, content).unwrap());
            let clients = Clients::new(vec![path.clone()], Patience::default(), &BTreeSet::new());
            let error = clients.get(kind).unwrap_err().to_string();
            assert!(!error.is_empty(), "{content:?}");
        }
    }

    #[test]
    fn the_plain_client_reads_no_certificates() {
        let clients = Clients::new(vec!["/nonexistent.pem".into()], Patience::default(), &BTreeSet::new());
        clients.get(Kind { trust: Trust::Nothing, loopback: true }).unwrap();
    }
}
