//! Conversation with one repository: who we are there, and asking again where that may help.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::sync::Mutex;

use super::Door;
use super::body;
use super::challenge::{Challenge, challenges};
use super::credentials::{Credential, Found};
use super::endpoint::{Endpoint, Scheme};
use super::error::RegistryError;
use super::meter::Meter;
use super::patience::{Attempts, Patience, retry_after};
use super::token::{Authorization, TokenRequest, basic, bearer};
use super::transport::{self, Request};
use crate::digest::Digest;

/// One repository of one registry, with the authorization that it was given last. A door has one session for each (host,
/// repository), whose credentials do not change, so that nothing is ever shown to another repository than the one that
/// it was obtained for.
pub(super) struct Session {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) repository: String,
    /// Locked while an authorization is obtained, so that many layers at a time ask for one token.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: Option<Found>,
    authorization: Option<Authorization>,
    /// How often the authorization has changed.
    generation: u64,
}

/// What is asked of a repository.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// What comes after `/v2/REPOSITORY/`.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// For messages: `tag x`, `manifest sha256:…`, `blob sha256:…`.
    pub(super) what: String,
    /// Counts what it takes.
    pub(super) meter: Arc<Meter>,
}

impl Ask {
    /// Asks for a blob.
    pub(super) fn blob(digest: Digest) -> Self {
        Self {
            method: Method::GET,
            path: format!("blobs/{digest}"),
            headers: HeaderMap::new(),
            what: format!("blob {digest}"),
            meter: Arc::default(),
        }
    }
}

impl Session {
    pub(super) fn new(endpoint: Arc<Endpoint>, repository: &str) -> Self {
        Self { endpoint, repository: repository.to_owned(), state: Mutex::default() }
    }

    /// Asks until there is an answer of success, a failure that will not pass, or the end of patience.
    pub(super) async fn ask(&self, door: &Door, ask: &Ask) -> Result<Response, RegistryError> {
        let gate = &self.endpoint.gate;
        let mut attempts = Attempts::new(&door.patience);
        let mut answers = gate.answers();
        loop {
            let passed = gate.pass().await;
            let error = match self.attempt(door, ask).await {
                Ok(response) => {
                    gate.answered();
                    return Ok(response);
                }
                Err(error) => error,
            };
            if error.is_limit() {
                gate.refused(passed, attempts.wished(error.retry_after()));
                // A registry that answers others meanwhile has not had enough of us, only too much at a time.
                let before = std::mem::replace(&mut answers, gate.answers());
                if answers != before {
                    attempts.forgive();
                }
            }
            wait(&mut attempts, error).await?;
        }
    }

    /// Asks once, in each protocol that the host may speak until one is understood.
    async fn attempt(&self, door: &Door, ask: &Ask) -> Result<Response, RegistryError> {
        let schemes = self.endpoint.schemes();
        let mut first_failure = None;
        for (scheme, left) in schemes.iter().zip((0..schemes.len()).rev()) {
            match self.speak(door, ask, *scheme).await {
                // What a TLS server says to plain http.
                Ok(response) if left > 0 && *scheme == Scheme::Http && response.status() == StatusCode::BAD_REQUEST => {
                    first_failure = Some(self.judge(door, ask, response).await);
                }
                Ok(response) => {
                    self.endpoint.settle(*scheme);
                    return self.judge(door, ask, response).await;
                }
                Err(error @ RegistryError::Connection { .. }) if left > 0 => first_failure = Some(Err(error)),
                // Neither connects: what the first found is as good. Else this one found out more.
                Err(error @ RegistryError::Connection { .. }) => {
                    return first_failure.filter(is_connection).unwrap_or(Err(error));
                }
                Err(error) => return Err(error),
            }
        }
        first_failure.unwrap_or_else(|| Err(self.no_url()))
    }

    /// Asks once, and once more where the registry wants to know who asks.
    async fn speak(&self, door: &Door, ask: &Ask, scheme: Scheme) -> Result<Response, RegistryError> {
        let path = format!("/v2/{}/{}", self.repository, ask.path);
        let url = self.endpoint.url(scheme, &path).ok_or_else(|| self.no_url())?;
        let (known, generation) = self.known().await;
        let response = self.send(door, ask, &url, known).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !transport::same_origin(response.url(), &url) {
            return Ok(response);
        }
        match self.authorize(door, &response, generation, &ask.meter).await? {
            Some(header) => self.send(door, ask, &url, Some(header)).await,
            None => Ok(response),
        }
    }

    async fn send(
        &self,
        door: &Door,
        ask: &Ask,
        url: &Url,
        authorization: Option<HeaderValue>,
    ) -> Result<Response, RegistryError> {
        let request = Request {
            method: ask.method.clone(),
            url: url.clone(),
            headers: ask.headers.clone(),
            authorization: authorization.as_ref(),
            form: None,
            meter: &ask.meter,
        };
        transport::send(&door.clients, &self.endpoint, request).await
    }

    /// The authorization that we have, unless it is about to expire.
    async fn known(&self) -> (Option<HeaderValue>, u64) {
        let state = self.state.lock().await;
        let good = state.authorization.as_ref().filter(|known| known.until.is_none_or(|until| until > Instant::now()));
        (good.map(|known| known.header.clone()), state.generation)
    }

    /// Obtains what `refusal` asks for; `None` where we have nothing else to show. `generation` is that of the
    /// authorization that was refused: where another request has obtained a newer one since, that is it.
    async fn authorize(
        &self,
        door: &Door,
        refusal: &Response,
        generation: u64,
        meter: &Meter,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let mut state = self.state.lock().await;
        if state.generation != generation {
            return Ok(state.authorization.as_ref().map(|newer| newer.header.clone()));
        }
        // A refusal of what was good before: whoever keeps the credentials may have newer ones.
        if state.found.is_none() || state.authorization.is_some() {
            state.found = Some(door.credentials.find(&self.endpoint.host, &self.repository).await);
        }
        let credential = state.found.as_ref().and_then(|found| found.credential.clone());
        for challenge in challenges(refusal.headers()) {
            let authorization = match (&challenge, &credential) {
                (Challenge::Basic, Some(Credential::Password { username, password })) => {
                    Authorization { header: basic(username, password), until: None }
                }
                (Challenge::Basic, _) => continue,
                (Challenge::Bearer { .. }, Some(Credential::AccessToken(token))) => match bearer(token) {
                    Some(header) => Authorization { header, until: None },
                    None => continue,
                },
                (Challenge::Bearer { realm, service, scope }, credential) => {
                    let request = TokenRequest {
                        clients: &door.clients,
                        patience: &door.patience,
                        trusted: &door.trusted_realms,
                        endpoint: &self.endpoint,
                        registry: refusal.url(),
                        repository: &self.repository,
                        credential: credential.as_ref(),
                        meter,
                    };
                    match request.fetch(realm, service.as_deref(), scope.as_deref()).await {
                        Err(RegistryError::Status { status: 400 | 401 | 403, detail, .. }) => {
                            return Err(self.unauthorized(detail, state.found.as_ref()));
                        }
                        result => result?,
                    }
                }
            };
            if state.authorization.as_ref().is_some_and(|refused| refused.header == authorization.header) {
                return Ok(None);
            }
            let header = authorization.header.clone();
            state.authorization = Some(authorization);
            state.generation += 1;
            return Ok(Some(header));
        }
        Ok(None)
    }

    /// Success, or the error that the status stands for.
    async fn judge(&self, door: &Door, ask: &Ask, response: Response) -> Result<Response, RegistryError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let (host, repository) = (self.endpoint.host.clone(), self.repository.clone());
        let by_registry = self.endpoint.owns(response.url());
        match (response.status(), failure(response, &door.patience).await) {
            (StatusCode::UNAUTHORIZED, RegistryError::Status { detail, .. }) if by_registry => {
                Err(self.unauthorized(detail, self.state.lock().await.found.as_ref()))
            }
            (StatusCode::FORBIDDEN, RegistryError::Status { detail, .. }) if by_registry => {
                Err(RegistryError::Forbidden { host, repository, detail })
            }
            (StatusCode::NOT_FOUND, _) if by_registry => {
                let hint = match ask.what.starts_with("tag ") {
                    true => "there is no such tag, or no such repository; mind the spelling",
                    false => "it may have been deleted since; scan by tag to get the current image",
                };
                Err(RegistryError::NotFound { host, repository, what: ask.what.clone(), hint })
            }
            (_, error) => Err(error),
        }
    }

    fn unauthorized(&self, detail: String, found: Option<&Found>) -> RegistryError {
        let host = &self.endpoint.host;
        let trouble = found.and_then(|found| found.trouble.as_deref());
        let trouble = trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        let hint = match found.and_then(|found| found.credential.as_ref()) {
            Some(_) => format!("the credentials for {host} were refused; log in anew with `docker login {host}`"),
            None => format!(
                "there is no such repository, or it is private: log in with `docker login {host}` or `podman login {host}`, or give --username and --password-stdin{trouble}"
            ),
        };
        RegistryError::Unauthorized { host: host.clone(), repository: self.repository.clone(), detail, hint }
    }

    fn no_url(&self) -> RegistryError {
        RegistryError::NotFound {
            host: self.endpoint.host.clone(),
            repository: self.repository.clone(),
            what: "address".to_owned(),
            hint: "the host of the reference makes no URL",
        }
    }
}

fn is_connection(outcome: &Result<Response, RegistryError>) -> bool {
    matches!(outcome, Err(RegistryError::Connection { .. }))
}

/// Waits until it is time to try again after `error`; gives it back where there is no use in trying.
pub(super) async fn wait(attempts: &mut Attempts<'_>, error: RegistryError) -> Result<(), RegistryError> {
    let pause = if error.is_transient() { attempts.next_pause(error.retry_after()) } else { None };
    let Some(pause) = pause else { return Err(error) };
    tracing::info!(%error, seconds = pause.as_secs_f32(), "asking the registry again");
    tokio::time::sleep(pause).await;
    Ok(())
}

/// The error for an answer of no success: one that may pass for 408, 429 and 5xx.
pub(super) async fn failure(response: Response, patience: &Patience) -> RegistryError {
    let (url, status) = (response.url().into(), response.status().as_u16());
    let later = response.headers().get(RETRY_AFTER).map(|value| {
        // Bytes that are no text are as much of a wish as text that is no time.
        retry_after(value.to_str().unwrap_or_default(), SystemTime::now())
    });
    let detail = body::complaint(response, patience).await;
    match status {
        408 | 429 | 500..=599 => RegistryError::Busy { url, status, detail, retry_after: later },
        _ => RegistryError::Status { url, status, detail },
    }
}
