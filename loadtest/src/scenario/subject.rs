//! What a farm is given to scan: a synthetic fleet, or the images of an OCI layout; and what is known of it beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use bytes::Bytes;
use lazaret::digest::Digest;
use serde_json::Value;

use crate::farm::{FarmError, floor};
use crate::fleet::{Fleet, LayerId};
use crate::registry::{RegistryOptions, SyntheticRegistry};

/// Images in a registry that counts.
pub(super) struct Subject {
    pub(super) registry: SyntheticRegistry,
    pub(super) images: Vec<String>,
    /// Known where the images are synthetic.
    pub(super) fleet: Option<Arc<Fleet>>,
    /// The distinct layers.
    layers: Vec<Source>,
    /// Bytes of the distinct configurations, which are blobs too.
    pub(super) config_bytes: u64,
}

enum Source {
    Made(LayerId),
    File(PathBuf),
}

impl Subject {
    /// A fleet.
    pub(super) fn of_fleet(fleet: Fleet, options: RegistryOptions) -> Result<Self, FarmError> {
        let fleet = Arc::new(fleet);
        let distinct: BTreeSet<LayerId> = (0..fleet.len()).flat_map(|image| fleet.layers(image)).collect();
        let config_bytes = (0..fleet.len()).map(|image| fleet.files(image).config.len() as u64).sum();
        let registry = SyntheticRegistry::start(Arc::clone(&fleet), options)?;
        let images = registry.references().collect();
        let layers = distinct.into_iter().map(Source::Made).collect();
        Ok(Self { registry, images, fleet: Some(fleet), layers, config_bytes })
    }

    /// The images of a layout; all of them have to be of this machine's platform.
    pub(super) fn of_layout(layout: &Path, options: RegistryOptions) -> Result<Self, FarmError> {
        let registry = SyntheticRegistry::from_layout(layout, options)?;
        let images = registry.references().collect();
        let read = |path: &Path| -> Result<Value, FarmError> {
            Ok(serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)?)
        };
        let blob = |descriptor: &Value| -> Result<(Digest, PathBuf), FarmError> {
            let digest = descriptor["digest"].as_str().and_then(|digest| digest.parse::<Digest>().ok());
            let digest = digest.ok_or_else(|| FarmError::Odd(format!("{}: no digest", layout.display())))?;
            Ok((digest, layout.join("blobs/sha256").join(digest.hex())))
        };
        let (mut layers, mut configs) = (BTreeMap::new(), BTreeMap::new());
        for descriptor in read(&layout.join("index.json"))?["manifests"].as_array().into_iter().flatten() {
            let manifest = read(&blob(descriptor)?.1)?;
            configs.extend([blob(&manifest["config"])?]);
            for layer in manifest["layers"].as_array().into_iter().flatten() {
                layers.extend([blob(layer)?]);
            }
        }
        let mut config_bytes = 0;
        for path in configs.values() {
            config_bytes += fs::metadata(path)?.len();
        }
        let layers = layers.into_values().map(Source::File).collect();
        Ok(Self { registry, images, fleet: None, layers, config_bytes })
    }

    /// How many distinct layers there are.
    pub(super) fn layers(&self) -> u64 {
        self.layers.len() as u64
    }

    /// The floor of the distinct layers.
    pub(super) fn floor(&self) -> Result<Duration, FarmError> {
        let mut floor = Duration::ZERO;
        for layer in &self.layers {
            let blob = match layer {
                Source::Made(layer) => self.fleet.as_ref().map(|fleet| fleet.blob(*layer)).unwrap_or_default(),
                Source::File(path) => Bytes::from(fs::read(path)?),
            };
            floor += floor::of(&blob)?;
        }
        Ok(floor)
    }
}
