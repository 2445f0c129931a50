//! Bearer tokens. Distribution token specification; for refresh tokens, its OAuth 2 variant.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::body;
use super::clients::Clients;
use super::credentials::Credential;
use super::endpoint::Endpoint;
use super::error::RegistryError;
use super::meter::Meter;
use super::patience::Patience;
use super::realm::may_authenticate;
use super::secret::Secret;
use super::transport::{self, Request};

/// The most bytes that the answer with a token may have.
const LIMIT: u64 = 64 << 10;

/// What a token is asked with.
pub(super) struct TokenRequest<'a> {
    pub(super) clients: &'a Clients,
    pub(super) patience: &'a Patience,
    pub(super) trusted: &'a BTreeSet<(String, String)>,
    pub(super) endpoint: &'a Endpoint,
    /// Where the registry asked for the token.
    pub(super) registry: &'a Url,
    pub(super) repository: &'a str,
    pub(super) credential: Option<&'a Credential>,
    pub(super) meter: &'a Meter,
}

/// A header, and until when it is good for.
pub(super) struct Authorization {
    pub(super) header: HeaderValue,
    pub(super) until: Option<Instant>,
}

impl TokenRequest<'_> {
    /// Fetches a token that may pull the repository, of `realm` as the challenge has it. The status of a refusal is in
    /// [`RegistryError::Status`], for the caller to say what was wanted of whom.
    pub(super) async fn fetch(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Authorization, RegistryError> {
        let refuse = |realm_host: &str, reason| RegistryError::Realm {
            host: self.endpoint.host.clone(),
            realm: crate::text::visible(&realm.chars().take(200).collect::<String>()).into_owned(),
            realm_host: realm_host.to_owned(),
            reason,
        };
        let mut url = Url::parse(realm).map_err(|_| refuse("", "it is no URL"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        may_authenticate(self.endpoint, self.registry, &url, self.trusted).map_err(|reason| refuse(&host, reason))?;
        url.set_fragment(None);
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err(refuse(&host, "it has no host"));
        }
        let mut fields: Vec<(&str, &str)> = service.map(|service| ("service", service)).into_iter().collect();
        let own_scope = format!("repository:{}:pull", self.repository);
        fields.push(("scope", scope.filter(|scope| only_pulls(scope)).unwrap_or(&own_scope)));
        let authorization = match self.credential {
            Some(Credential::Password { username, password }) => {
                fields.push(("account", username));
                Some(basic(username, password))
            }
            _ => None,
        };
        let (method, form) = match self.credential {
            Some(Credential::IdentityToken(token)) => {
                fields.extend([("grant_type", "refresh_token"), ("client_id", "lazaret")]);
                fields.push(("refresh_token", token.expose()));
                let mut form = Url::parse("form:").map_err(|_| refuse(&host, "it is no URL"))?;
                form.query_pairs_mut().extend_pairs(&fields);
                (Method::POST, Some(form.query().unwrap_or_default().to_owned()))
            }
            _ => {
                url.query_pairs_mut().extend_pairs(&fields);
                (Method::GET, None)
            }
        };
        let (headers, authorization, meter) = (HeaderMap::new(), authorization.as_ref(), self.meter);
        let request = Request { method, url, headers, authorization, form, meter };
        let asked = Instant::now();
        let response = transport::send(self.clients, self.endpoint, request).await?;
        if !response.status().is_success() {
            return Err(super::session::failure(response, self.patience).await);
        }
        let shown = response.url().into();
        let body = body::read(response, LIMIT, self.patience).await?;
        let malformed = |reason: &str| RegistryError::Malformed { url: shown, reason: reason.to_owned() };
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            return Err(malformed("no token in the answer"));
        };
        let token = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
        match token.as_ref().and_then(bearer) {
            Some(header) => {
                // Sixty seconds unless said otherwise, says the specification; a little less, for the way.
                let life = Duration::from_secs(answer.expires_in.unwrap_or(60).clamp(10, 86_400)).mul_f64(0.9);
                Ok(Authorization { header, until: asked.checked_add(life) })
            }
            None => Err(malformed("no token in the answer")),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<u64>,
}

/// Whether a scope asks for nothing but reading, so that no server gets a token out of us that can do more.
fn only_pulls(scope: &str) -> bool {
    !scope.is_empty()
        && scope.len() <= 1024
        && scope.split(' ').all(|part| part.starts_with("repository:") && part.ends_with(":pull"))
}

/// The header of RFC 7617.
pub(super) fn basic(username: &str, password: &Secret) -> HeaderValue {
    let text = format!("{username}:{}", password.expose());
    sensitive(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))
        .unwrap_or_else(|| HeaderValue::from_static("Basic"))
}

/// The header of RFC 6750; `None` where the token does not fit into one.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose()))
}

/// A header that neither logs nor header compression remember.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_do_more_than_read_are_not_asked_for() {
        assert!(only_pulls("repository:a/b:pull"));
        assert!(only_pulls("repository:a/b:pull repository:c:pull"));
        for scope in ["", "repository:a:pull,push", "registry:catalog:*", "repository:a:pull registry:catalog:*", "*"] {
            assert!(!only_pulls(scope), "{scope}");
        }
    }

    #[test]
    fn headers_are_sensitive() {
        let header = basic("u", &Secret::new("p"));
        assert_eq!(header.to_str().unwrap(), "Basic dTpw");
        assert!(header.is_sensitive() && !format!("{header:?}").contains("dTpw"));
        assert!(bearer(&Secret::new("a\nb")).is_none());
    }
}
