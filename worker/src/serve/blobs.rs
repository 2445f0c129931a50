//! Where blobs come from: the registries that messages may name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lazaret::door::source::registry::{Meter, Registry};
use lazaret::door::source::{BlobReader, Exact, SourceError};
use lazaret::image::Descriptor;
use lazaret::reference::RegistryReference;
use lazaret::task::Place;
use lazaret::text::visible;

/// Opens blobs.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Opens `blob` at `place`; `meter` counts what that and reading it takes. The reader fails where the blob has another
    /// size than its descriptor says.
    ///
    /// # Errors
    /// [`NotOpened`].
    async fn open(&self, place: &Place, blob: &Descriptor, meter: Arc<Meter>)
    -> Result<Box<dyn BlobReader>, NotOpened>;
}

/// Why a blob could not be opened.
#[derive(Debug)]
pub struct NotOpened {
    /// What the source says.
    pub error: SourceError,
    /// When it wants to be asked again.
    pub again_after: Option<Duration>,
}

/// Blobs in registries. A message only names a registry; whether it may be asked is said here.
#[derive(Debug)]
pub struct Registries {
    registry: Registry,
    /// In lower case. Empty: any, but not this machine.
    allowed: BTreeSet<String>,
    /// This machine may be meant by these.
    vouched: BTreeSet<String>,
}

impl Registries {
    /// The registries `allowed`, or all of the internet where that is empty; `vouched` are the hosts that may be on this
    /// machine.
    pub fn new(registry: Registry, allowed: &[String], vouched: &[String]) -> Self {
        let lower = |hosts: &[String]| hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { registry, allowed: lower(allowed), vouched: lower(vouched) }
    }

    /// Where that is, if it may be asked.
    fn reference(&self, place: &Place) -> Result<RegistryReference, &'static str> {
        let Place { registry, repository } = place;
        let named = format!("{registry}/{repository}").parse::<RegistryReference>();
        // A message cannot smuggle in more than a host and a repository: as text they have to be just that again.
        let named = named.ok().filter(|named| named.host == *registry && named.repository == *repository);
        let reference = named.ok_or("no registry and repository")?;
        let host = registry.to_ascii_lowercase();
        match () {
            () if self.allowed.contains(&host) || self.vouched.contains(&host) => Ok(reference),
            () if !self.allowed.is_empty() => Err("not a registry that this worker may ask"),
            () if Registry::is_this_machine(&host) => Err("this machine, which only --registry opens"),
            () => Ok(reference),
        }
    }
}

#[async_trait]
impl Blobs for Registries {
    async fn open(
        &self,
        place: &Place,
        blob: &Descriptor,
        meter: Arc<Meter>,
    ) -> Result<Box<dyn BlobReader>, NotOpened> {
        let reference = self.reference(place).map_err(|reason| NotOpened {
            error: SourceError::Remote {
                reference: shown(place),
                reason: reason.to_owned(),
                hint: Some("name the registry with --registry".to_owned()),
                transient: false,
            },
            again_after: None,
        })?;
        match self.registry.blob_metered(&reference, blob, meter).await {
            Ok(stream) => Ok(Box::new(Exact::new(stream, blob.digest, blob.size))),
            Err(error) => {
                let again_after = error.retry_after();
                Err(NotOpened { error: error.about(shown(place)), again_after })
            }
        }
    }
}

/// `place` for a message.
pub(super) fn shown(place: &Place) -> String {
    let text = format!("{}/{}", place.registry, place.repository);
    visible(&text.chars().take(300).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret::door::source::registry::RegistryOptions;

    fn may(allowed: &[&str], vouched: &[&str], registry: &str, repository: &str) -> bool {
        let owned = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        let registries = Registries::new(Registry::new(RegistryOptions::default()), &owned(allowed), &owned(vouched));
        let place = Place { registry: registry.to_owned(), repository: repository.to_owned() };
        registries.reference(&place).is_ok()
    }

    #[test]
    fn a_message_names_a_registry_that_is_allowed_and_nothing_else() {
        assert!(may(&[], &[], "quay.io", "a/b") && may(&[], &[], "docker.io", "library/alpine"));
        assert!(may(&["R.example"], &[], "r.example", "a"));
        assert!(!may(&["r.example"], &[], "quay.io", "a"));
        for host in ["127.0.0.1:5000", "localhost:5000", "[::1]:5000"] {
            assert!(!may(&[], &[], host, "a"), "{host}");
            assert!(may(&[], &[host], host, "a") && may(&[host], &[], host, "a"), "{host}");
        }
        for (host, repository) in [
            ("", "a"),
            ("quay.io", ""),
            ("quay.io", "../a"),
            ("quay.io", "a:tag"),
            ("quay.io", "a?b"),
            ("quay.io", "a#b"),
            ("user:password@quay.io", "a"),
            ("quay.io/x", "a"),
            ("https://quay.io", "a"),
            ("quay.io\r\nx: y", "a"),
        ] {
            assert!(!may(&[], &[], host, repository), "{host} {repository}");
        }
    }
}
