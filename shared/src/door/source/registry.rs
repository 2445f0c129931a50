//! Registries: the pulling half of the OCI distribution specification, version 1.1.

mod address;
mod blob;
mod body;
mod challenge;
mod clients;

mod credentials;
mod docker_credential;
mod endpoint;
mod error;
mod gate;
mod http_date;
mod image_source;
mod meter;
mod patience;
mod realm;
mod root;
mod secret;
mod session;
mod shown_url;
mod token;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};

pub use self::address::AddressError;
pub use self::blob::BlobStream;
use self::clients::Clients;
pub use self::credentials::{Credential, Credentials};
use self::endpoint::Endpoint;
pub use self::error::RegistryError;
pub use self::image_source::RegistryImage;
pub use self::meter::Meter;
pub use self::patience::Patience;
pub use self::realm::trusted_realm;
pub use self::root::Root;
pub use self::secret::Secret;
use self::session::{Ask, Session};
pub use self::shown_url::ShownUrl;
use crate::digest::Digest;
use crate::image::Descriptor;
use crate::manifest::{INDEX_TYPES, MANIFEST_TYPES, MAX_MANIFEST};
use crate::reference::RegistryReference;

/// Sessions that are remembered; a service that meets more repositories begins to forget.
const SESSIONS: usize = 4096;

/// What the user says about registries. The default is anonymous, careful and patient.
#[derive(Clone, Debug, Default)]
pub struct RegistryOptions {
    /// Who we are, and where that is written.
    pub credentials: Credentials,
    /// `host[:port]`s that may show any certificate, and speak plain http where they do not speak https.
    pub insecure: BTreeSet<String>,
    /// PEM files of certificate authorities, besides those of the system.
    pub authorities: Vec<PathBuf>,
    /// Pairs of registry host and token host that belong together though their names do not show it.
    pub trusted_realms: BTreeSet<(String, String)>,
    /// How long to wait, and how often to ask again.
    pub patience: Patience,
}

/// A client of registries, for any number of them. Nothing is connected, read or looked up before it is needed; a clone
/// shares connections and tokens.
#[derive(Clone)]
pub struct Registry {
    door: Arc<Door>,
    sessions: Arc<Mutex<Sessions>>,
    /// What is asked through this clone counts here.
    meter: Arc<Meter>,
}

/// What all sessions share.
struct Door {
    clients: Clients,
    credentials: Credentials,
    trusted_realms: BTreeSet<(String, String)>,
    insecure: BTreeSet<String>,
    patience: Patience,
}

#[derive(Default)]
struct Sessions {
    /// By host.
    endpoints: BTreeMap<String, Arc<Endpoint>>,
    /// By host and repository.
    sessions: BTreeMap<(String, String), Arc<Session>>,
}

impl Registry {
    /// A client that has done nothing yet.
    pub fn new(options: RegistryOptions) -> Self {
        let insecure: BTreeSet<_> = options.insecure.iter().map(|host| host.to_ascii_lowercase()).collect();
        let door = Door {
            clients: Clients::new(options.authorities, options.patience.clone(), &insecure),
            credentials: options.credentials,
            trusted_realms: options.trusted_realms,
            insecure,
            patience: options.patience,
        };
        Self { door: Arc::new(door), sessions: Arc::default(), meter: Arc::default() }
    }

    /// The same registries, where `meter` counts what is asked through the result.
    pub fn metered(&self, meter: Arc<Meter>) -> Self {
        Self { meter, ..self.clone() }
    }

    /// The digest that the reference stands for now: one HEAD, or nothing at all where it names a digest. A registry that
    /// does not tell is asked for the manifest.
    pub async fn digest(&self, reference: &RegistryReference) -> Result<Digest, RegistryError> {
        if let Some(digest) = reference.digest {
            return Ok(digest);
        }
        let ask = self.manifest_ask(Method::HEAD, reference, None);
        let answer = match self.session(reference).ask(&self.door, &ask).await {
            Ok(response) => response.headers().get("docker-content-digest").cloned(),
            Err(RegistryError::Status { status: 405 | 501, .. }) => None,
            Err(error) => return Err(error),
        };
        match answer.and_then(|value| value.to_str().ok()?.parse().ok()) {
            Some(digest) => Ok(digest),
            None => Ok(self.root(reference).await?.descriptor.digest),
        }
    }

    /// The manifest or index that the reference stands for, verified where it names a digest.
    pub async fn root(&self, reference: &RegistryReference) -> Result<Root, RegistryError> {
        let ask = self.manifest_ask(Method::GET, reference, reference.digest);
        let (url, headers, bytes) = self.fetch(reference, &ask, MAX_MANIFEST).await?;
        Root::new(&url, &headers, bytes, &ask.what, reference.digest)
    }

    /// The manifest or index with this digest, verified, of at most `limit` bytes; `reference` says in which repository.
    pub async fn manifest(
        &self,
        reference: &RegistryReference,
        digest: Digest,
        limit: u64,
    ) -> Result<Bytes, RegistryError> {
        self.fetch_verified(reference, &self.manifest_ask(Method::GET, reference, Some(digest)), digest, limit).await
    }

    /// A blob that is held whole, verified, of at most `limit` bytes: the configuration of an image.
    pub async fn small_blob(
        &self,
        reference: &RegistryReference,
        digest: Digest,
        limit: u64,
    ) -> Result<Bytes, RegistryError> {
        let ask = Ask { meter: Arc::clone(&self.meter), ..Ask::blob(digest) };
        self.fetch_verified(reference, &ask, digest, limit).await
    }

    /// A blob of any size, as a stream whose length is checked and whose digest is *not*: who reads it has to.
    pub async fn blob(
        &self,
        reference: &RegistryReference,
        descriptor: &Descriptor,
    ) -> Result<BlobStream, RegistryError> {
        self.blob_metered(reference, descriptor, Arc::clone(&self.meter)).await
    }

    /// [`Registry::blob`], where `meter` counts what it takes.
    pub async fn blob_metered(
        &self,
        reference: &RegistryReference,
        descriptor: &Descriptor,
        meter: Arc<Meter>,
    ) -> Result<BlobStream, RegistryError> {
        blob::open(Arc::clone(&self.door), self.session(reference), descriptor, meter).await
    }

    /// Whether `host`, which is `host[:port]`, is a name of this machine. Whoever takes hosts from messages has to ask: what a
    /// user typed is meant, what a message says need not be.
    pub fn is_this_machine(host: &str) -> bool {
        Endpoint::new(host, &BTreeSet::new()).loopback
    }

    async fn fetch_verified(
        &self,
        reference: &RegistryReference,
        ask: &Ask,
        expected: Digest,
        limit: u64,
    ) -> Result<Bytes, RegistryError> {
        let (_, _, bytes) = self.fetch(reference, ask, limit).await?;
        match Digest::of(&bytes) {
            actual if actual == expected => Ok(bytes),
            actual => Err(RegistryError::Digest { what: ask.what.clone(), expected, actual }),
        }
    }

    /// The whole answer, asked for again where it breaks off.
    async fn fetch(
        &self,
        reference: &RegistryReference,
        ask: &Ask,
        limit: u64,
    ) -> Result<(reqwest::Url, HeaderMap, Bytes), RegistryError> {
        let session = self.session(reference);
        let mut attempts = patience::Attempts::new(&self.door.patience);
        loop {
            let response = session.ask(&self.door, ask).await?;
            let (url, headers) = (response.url().clone(), response.headers().clone());
            match body::read(response, limit, &self.door.patience).await {
                Ok(bytes) => return Ok((url, headers, bytes)),
                Err(error) => session::wait(&mut attempts, error).await?,
            }
        }
    }

    /// Asks for a manifest: by `digest`, else as the reference has it.
    fn manifest_ask(&self, method: Method, reference: &RegistryReference, digest: Option<Digest>) -> Ask {
        let tag = reference.tag.as_deref().unwrap_or("latest");
        let (path, what) = match digest {
            Some(digest) => (format!("manifests/{digest}"), format!("manifest {digest}")),
            None => (format!("manifests/{tag}"), format!("tag {tag}")),
        };
        let mut headers = HeaderMap::new();
        for media_type in INDEX_TYPES.into_iter().chain(MANIFEST_TYPES) {
            headers.append(ACCEPT, HeaderValue::from_static(media_type));
        }
        Ask { method, path, headers, what, meter: Arc::clone(&self.meter) }
    }

    fn session(&self, reference: &RegistryReference) -> Arc<Session> {
        let mut known = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if known.sessions.len() >= SESSIONS {
            *known = Sessions::default();
        }
        let Sessions { endpoints, sessions } = &mut *known;
        let key = (reference.host.to_ascii_lowercase(), reference.repository.clone());
        let endpoint = endpoints
            .entry(key.0.clone())
            .or_insert_with(|| Arc::new(Endpoint::new(&reference.host, &self.door.insecure)));
        let session = || Arc::new(Session::new(Arc::clone(endpoint), &reference.repository));
        Arc::clone(sessions.entry(key).or_insert_with(session))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("insecure", &self.door.insecure).finish_non_exhaustive()
    }
}
