//! Where a registry may send us for a token.

use std::collections::BTreeSet;

use reqwest::Url;

use super::address::{is_loopback_name, literal};
use super::endpoint::Endpoint;

/// Reads `REGISTRY=REALM`, by which a user pairs a registry and the host of its token server.
///
/// # Errors
/// It is no such pair; the text says what was expected.
pub fn trusted_realm(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((registry, realm)) if !registry.is_empty() && !realm.is_empty() => {
            Ok((registry.to_owned(), realm.to_owned()))
        }
        _ => Err("expected REGISTRY=REALM, both host names"),
    }
}

/// Whether the registry, spoken to as `registry` says, may have us show its credentials at `realm`: on the same host
/// (any port), on its parent domain or beside it (`registry.gitlab.com` → `gitlab.com`, `registry-1.docker.io` →
/// `auth.docker.io`), or where the user paired the two in `trusted` (registry host, realm host). Never from https down
/// to http, and plain http only where the registry itself may speak it.
pub(super) fn may_authenticate(
    endpoint: &Endpoint,
    registry: &Url,
    realm: &Url,
    trusted: &BTreeSet<(String, String)>,
) -> Result<(), &'static str> {
    let Some(host) = realm.host_str() else { return Err("it has no host") };
    let same_host = host == endpoint.name();
    match realm.scheme() {
        "https" => {}
        "http" if registry.scheme() == "https" => return Err("it is plain http while the registry is https"),
        "http" if endpoint.loopback && is_loopback_name(host) || endpoint.insecure && same_host => {}
        _ => return Err("it is not https"),
    }
    let paired = trusted.contains(&(endpoint.host.clone(), host.to_owned()));
    if same_host || paired || same_site(endpoint.name(), host) {
        Ok(())
    } else {
        Err("it is on another site, which must not see the credentials of this one")
    }
}

/// Whether `other` is under the domain that `host` is directly under, and that domain belongs to one owner.
fn same_site(host: &str, other: &str) -> bool {
    if literal(host).is_some() || literal(other).is_some() {
        return false;
    }
    let under =
        |name: &str, domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let parent = host.split_once('.').map(|(_, parent)| parent).filter(|parent| has_one_owner(parent));
    under(other, host) && has_one_owner(host) || parent.is_some_and(|parent| under(other, parent))
}

/// Whether everybody under `domain` is one owner: it has two labels or more, is no country's `co.uk`, and no house of
/// many tenants. Erring on the side of refusal costs the user one option; the other side costs a password.
fn has_one_owner(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let [.., second, top] = labels.as_slice() else { return false };
    let country_second_level = labels.len() == 2 && top.len() == 2 && second.len() <= 3;
    !country_second_level
        && !SHARED_HOUSES.iter().any(|house| domain == *house || domain.ends_with(&format!(".{house}")))
}

/// Domains under which strangers are neighbours.
const SHARED_HOUSES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "aliyuncs.com",
    "appspot.com",
    "azurecr.cn",
    "azurecr.io",
    "azurecr.us",
    "azurewebsites.net",
    "cloudapp.net",
    "cloudfront.net",
    "cloudsmith.io",
    "dyndns.org",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "jfrog.io",
    "myhuaweicloud.com",
    "netlify.app",
    "ngrok.io",
    "nip.io",
    "ocir.io",
    "on.aws",
    "onrender.com",
    "pages.dev",
    "pkg.dev",
    "run.app",
    "scw.cloud",
    "sslip.io",
    "svc.cluster.local",
    "tencentcloudcr.com",
    "ts.net",
    "vercel.app",
    "windows.net",
    "workers.dev",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(registry: &str, realm: &str, insecure: &[&str]) -> Result<(), &'static str> {
        let registry: Url = registry.parse().unwrap();
        let host = registry
            .port()
            .map_or(registry.host_str().unwrap().to_owned(), |port| format!("{}:{port}", registry.host_str().unwrap()));
        let host = if host == "registry-1.docker.io" { "docker.io".to_owned() } else { host };
        let endpoint = Endpoint::new(&host, &insecure.iter().map(|h| (*h).to_owned()).collect());
        let trusted = BTreeSet::from([("paired.example".to_owned(), "sso.elsewhere.example".to_owned())]);
        may_authenticate(&endpoint, &registry, &realm.parse().unwrap(), &trusted)
    }

    #[test]
    fn realms_of_the_same_owner_are_followed() {
        for (registry, realm) in [
            ("https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("https://ghcr.io", "https://ghcr.io/token"),
            ("https://quay.io", "https://quay.io/v2/auth"),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("https://registry.redhat.io", "https://sso.redhat.io/token"),
            ("https://team.azurecr.io", "https://team.azurecr.io/oauth2/token"),
            ("https://registry.example.co.uk", "https://auth.example.co.uk/"),
            ("https://r.example.com:5000", "https://r.example.com/token"),
            ("https://paired.example", "https://sso.elsewhere.example/"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token"),
        ] {
            assert_eq!(verdict(registry, realm, &[]), Ok(()), "{registry} {realm}");
        }
        assert_eq!(verdict("http://lab:5000", "http://lab:5001/t", &["lab:5000"]), Ok(()));
    }

    #[test]
    fn all_others_are_refused() {
        for (registry, realm) in [
            ("https://r.example.com", "https://evil.example/token"),
            ("https://r.example.com", "http://r.example.com/token"),
            ("https://r.example.com", "https://r.example.com.evil.example/"),
            ("https://r.example.com", "https://badexample.com/"),
            ("https://example.com", "https://evil.com/"),
            ("https://example.co.uk", "https://evil.co.uk/"),
            ("https://team.azurecr.io", "https://evil.azurecr.io/"),
            ("https://1.dkr.ecr.eu-west-1.amazonaws.com", "https://2.dkr.ecr.eu-west-1.amazonaws.com/"),
            ("https://10.0.0.1", "https://10.0.0.2/"),
            ("https://paired.example", "https://other.elsewhere.example/"),
            ("http://127.0.0.1:5000", "http://169.254.169.254/token"),
            ("http://127.0.0.1:5000", "http://evil.example/token"),
            ("http://127.0.0.1:5000", "https://evil.example/token"),
            ("http://127.0.0.1:5000", "http://127.0.0.2:5000/token"),
            ("https://127.0.0.1:5000", "http://127.0.0.1:5000/token"),
            ("https://r.example.com", "ftp://r.example.com/token"),
        ] {
            assert!(verdict(registry, realm, &[]).is_err(), "{registry} {realm}");
        }
    }
}
