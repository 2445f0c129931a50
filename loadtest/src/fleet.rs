//! A fleet of synthetic images: a function of a seed, generated when it is asked for, with what a scan has to find in each.

mod advisories;
mod base;
mod blob;
mod build;
mod expected;
mod files;
mod kept;
mod name;
mod options;
mod published;
mod recipe;
pub(crate) mod seed;
mod size;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use lazaret::digest::Digest;

pub use advisories::advisories;
pub use blob::LayerFacts;
pub use expected::{ExpectedFinding, ExpectedImage};
pub use files::ImageFiles;
pub(crate) use files::MANIFEST;
pub(crate) use kept::Kept;
pub use options::FleetOptions;
pub use published::FleetPackage;

use seed::{Chance, Zipf};

/// Which layer of the fleet: what is in it follows from this and the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerId {
    /// A distribution.
    Base {
        /// Which one.
        base: u32,
    },
    /// Upgrades and additions of the distribution's packages, right above a base.
    Patch {
        /// Of which base.
        base: u32,
        /// Which set of upgrades.
        variant: u32,
    },
    /// Python or Node packages, in many images.
    Middle {
        /// Which one.
        number: u32,
    },
    /// A layer of one image alone.
    Own {
        /// Of which image.
        image: u32,
        /// Its index in the image.
        index: u32,
    },
}

/// What a digest names.
#[derive(Clone, Copy)]
enum Named {
    Layer(LayerId),
    Config(u32),
    Manifest(u32),
}

/// Images, none of which exists before somebody asks for it. What is remembered are digests, about 200 bytes for a layer,
/// and a bounded number of blobs.
pub struct Fleet {
    options: FleetOptions,
    base_choice: Zipf,
    middle_choice: Zipf,
    repositories: OnceLock<Vec<(String, u32)>>,
    facts: RwLock<HashMap<LayerId, LayerFacts>>,
    named: RwLock<HashMap<Digest, Named>>,
    kept: Kept,
}

impl Fleet {
    /// The fleet with these options. Nothing is generated yet.
    pub fn new(options: FleetOptions) -> Self {
        Self {
            base_choice: Zipf::new(options.bases, options.zipf),
            middle_choice: Zipf::new(options.middle_layers, options.zipf),
            repositories: OnceLock::new(),
            facts: RwLock::default(),
            named: RwLock::default(),
            kept: Kept::new(options.cache_bytes),
            options,
        }
    }

    /// What it is made of.
    pub fn options(&self) -> &FleetOptions {
        &self.options
    }

    /// How many images there are; they are numbered from 0.
    pub fn len(&self) -> u32 {
        self.options.images
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.options.images == 0
    }

    /// The repository and the tag of an image.
    pub fn name(&self, image: u32) -> (String, String) {
        let tags = self.tags_per_repository();
        let (repository, tag) = (image / tags, image % tags);
        (name::repository(self.options.seed, repository), name::tag(self.options.seed, repository, tag))
    }

    /// The names of all repositories, sorted.
    pub fn repositories(&self) -> impl Iterator<Item = &str> {
        self.by_name().iter().map(|(name, _)| name.as_str())
    }

    /// The images of a repository, tag by tag; none where there is no such repository.
    pub fn images_of(&self, repository: &str) -> std::ops::Range<u32> {
        let names = self.by_name();
        let Ok(found) = names.binary_search_by(|(name, _)| name.as_str().cmp(repository)) else { return 0..0 };
        let first = names[found].1 * self.tags_per_repository();
        first..(first + self.tags_per_repository()).min(self.len())
    }

    /// The image with this name.
    pub fn find(&self, repository: &str, tag: &str) -> Option<u32> {
        let mut images = self.images_of(repository);
        let (first, tags) = (images.start, self.tags_per_repository());
        images.find(|image| name::tag(self.options.seed, first / tags, image % tags) == tag)
    }

    /// The layers of an image, from the bottom up.
    pub fn layers(&self, image: u32) -> Vec<LayerId> {
        let FleetOptions { seed, share, ref layers_per_image, .. } = self.options;
        let repository = image / self.tags_per_repository();
        // A repository stays with its base and changes the rest.
        let base = self.base_choice.choose(&mut Chance::of(seed, &[1, u64::from(repository)]));
        let mut chance = Chance::of(seed, &[2, u64::from(image)]);
        let count = chance.within(layers_per_image).max(2);
        let shared = ((f64::from(count) * share).round() as u32).clamp(1, count - 1);
        let mut layers = vec![LayerId::Base { base }];
        if shared > 1 && chance.happens(0.7) {
            layers.push(LayerId::Patch { base, variant: chance.below(4) as u32 });
        }
        // A popular layer may come up twice; an image has it once.
        for _ in 0..shared * 4 {
            if layers.len() as u32 >= shared {
                break;
            }
            let middle = LayerId::Middle { number: self.middle_choice.choose(&mut chance) };
            if !layers.contains(&middle) {
                layers.push(middle);
            }
        }
        let first = layers.len() as u32;
        layers.extend((first..first + count - shared).map(|index| LayerId::Own { image, index }));
        layers
    }

    /// Digests and sizes of a layer, which is generated unless they are known.
    pub fn facts(&self, layer: LayerId) -> LayerFacts {
        let known = self.facts.read().unwrap_or_else(PoisonError::into_inner).get(&layer).copied();
        known.unwrap_or_else(|| self.generate(layer).0)
    }

    /// The blob of a layer.
    pub fn blob(&self, layer: LayerId) -> Bytes {
        let known = self.facts.read().unwrap_or_else(PoisonError::into_inner).get(&layer).map(|facts| facts.digest);
        known.and_then(|digest| self.kept.get(&digest)).unwrap_or_else(|| self.generate(layer).1)
    }

    /// Generates a layer, and keeps it for a while.
    fn generate(&self, layer: LayerId) -> (LayerFacts, Bytes) {
        let recipe = self.recipe(layer);
        let Ok((facts, blob)) = blob::write(&recipe, self.options.seed, self.options.level) else {
            unreachable!("a layer is written to memory")
        };
        self.facts.write().unwrap_or_else(PoisonError::into_inner).insert(layer, facts);
        self.remember(facts.digest, Named::Layer(layer));
        self.kept.put(facts.digest, &blob);
        (facts, blob)
    }

    fn remember(&self, digest: Digest, named: Named) {
        self.named.write().unwrap_or_else(PoisonError::into_inner).insert(digest, named);
    }

    fn tags_per_repository(&self) -> u32 {
        self.options.tags_per_repository.max(1)
    }

    /// Repositories and their numbers, sorted by name.
    fn by_name(&self) -> &[(String, u32)] {
        self.repositories.get_or_init(|| {
            let count = self.len().div_ceil(self.tags_per_repository());
            let mut names: Vec<_> =
                (0..count).map(|number| (name::repository(self.options.seed, number), number)).collect();
            names.sort_unstable();
            names
        })
    }
}
