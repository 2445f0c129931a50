//! A reference to a registry as an image source.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use super::{Registry, RegistryError, Root};
use crate::digest::Digest;
use crate::door::source::{BlobReader, ImageSource, OpenRegistry, PlatformChoice, SourceError, resolve};
use crate::image::{Descriptor, Image};
use crate::manifest::{CONFIG_TYPES, Document, MAX_CONFIG, MAX_MANIFEST};
use crate::reference::RegistryReference;

/// One image reference and the client to ask for it.
#[derive(Debug)]
pub struct RegistryImage {
    registry: Registry,
    reference: RegistryReference,
    runtime: Handle,
    /// What the reference was found to stand for. Everything after goes by its digest.
    root: Mutex<Option<Root>>,
}

impl RegistryImage {
    /// `reference`, asked for through `registry`. The connections live in `runtime`, which has to be one of several
    /// threads (or be driven by somebody else meanwhile).
    pub fn new(registry: Registry, reference: RegistryReference, runtime: Handle) -> Self {
        Self { registry, reference, runtime, root: Mutex::default() }
    }

    /// The digest that the reference stands for now: of an index, where one stands there. Costs one HEAD, or nothing
    /// where the reference names a digest.
    pub fn digest(&self) -> Result<Digest, SourceError> {
        self.wait(self.registry.digest(&self.reference))
    }

    /// The digest of the manifest, where the reference stands for one now and not for an index. What was fetched for this is
    /// not fetched again by [`ImageSource::images`].
    pub async fn pinned(&self) -> Result<Option<Digest>, SourceError> {
        let root = self.registry.root(&self.reference).await.map_err(|error| error.about(&self.reference))?;
        let digest = match Document::read(&root.bytes, &root.descriptor.media_type) {
            Ok(Document::Manifest(_)) => Some(root.descriptor.digest),
            _ => None,
        };
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(root);
        Ok(digest)
    }

    fn root(&self) -> Result<Root, SourceError> {
        let mut root = self.root.lock().unwrap_or_else(PoisonError::into_inner);
        match &*root {
            Some(root) => Ok(root.clone()),
            None => Ok(root.insert(self.wait(self.registry.root(&self.reference))?).clone()),
        }
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, RegistryError>>) -> Result<T, SourceError> {
        self.runtime.block_on(answer).map_err(|error| error.about(&self.reference))
    }

    /// A manifest, an index or a configuration. What a descriptor of no known type is, only asking tells.
    async fn fetch(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let Descriptor { media_type, digest, .. } = descriptor;
        if CONFIG_TYPES.contains(&media_type.as_str()) {
            return self.registry.small_blob(&self.reference, *digest, limit.min(MAX_CONFIG)).await.map(Vec::from);
        }
        match self.registry.manifest(&self.reference, *digest, limit.min(MAX_MANIFEST)).await {
            Err(RegistryError::NotFound { .. }) if media_type.is_empty() => {
                self.registry.small_blob(&self.reference, *digest, limit).await.map(Vec::from)
            }
            result => result.map(Vec::from),
        }
    }
}

impl Registry {
    /// What [`SourceOptions`](crate::door::source::SourceOptions) opens registries with. About `runtime` see
    /// [`RegistryImage::new`].
    pub fn opener(self, runtime: Handle) -> Box<OpenRegistry> {
        Box::new(move |reference| Ok(Box::new(RegistryImage::new(self.clone(), reference.clone(), runtime.clone()))))
    }
}

impl ImageSource for RegistryImage {
    fn name(&self) -> &'static str {
        "registry"
    }

    fn images(&self, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError> {
        let root = self.root()?;
        let roots = [root.descriptor.clone().into()];
        resolve::images(self.name(), &roots, choice, &mut |descriptor, limit| {
            if descriptor.digest == root.descriptor.digest {
                return Ok(root.bytes.to_vec());
            }
            self.wait(self.fetch(descriptor, limit))
        })
    }

    fn blob(&self, blob: &Descriptor) -> Result<Box<dyn BlobReader>, SourceError> {
        Ok(Box::new(self.wait(self.registry.blob(&self.reference, blob))?))
    }
}
