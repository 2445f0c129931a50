//! From a descriptor to images: through indexes, by platform, every document verified by its digest.

use std::collections::{BTreeMap, HashSet};

use super::{PlatformChoice, SourceError};
use crate::digest::Digest;
use crate::image::{Descriptor, Image, ImageConfig, Layer, Platform};
use crate::manifest::{Document, IndexEntry, MAX_CONFIG, MAX_MANIFEST, Manifest};

/// How deep indexes may nest below the descriptor that the reference names.
const MAX_DEPTH: usize = 2;
/// How many indexes and manifests one reference may make us read.
const MAX_DOCUMENTS: usize = 2_000;
/// How many choices all indexes together may offer.
const MAX_CHOICES: usize = 100_000;

/// Reads a whole small blob: a manifest, an index or a configuration. The second argument is the most that may be read,
/// in bytes, and never less than the descriptor's size. What comes is verified by the caller.
pub type Fetch<'a> = dyn FnMut(&Descriptor, u64) -> Result<Vec<u8>, SourceError> + 'a;

/// The images behind `roots`, which are the entries of an index, or the one descriptor that a reference names: one for
/// `choice`, or one for each platform. `source` is what [`Image::source`] becomes.
pub fn images(
    source: &'static str,
    roots: &[IndexEntry],
    choice: &PlatformChoice,
    fetch: &mut Fetch<'_>,
) -> Result<Vec<Image>, SourceError> {
    let mut resolver = Resolver { source, fetch, documents: 0, seen: HashSet::new(), choices: Vec::new() };
    for root in roots {
        resolver.collect(root, 0)?;
    }
    resolver.choose(choice)
}

/// A root without platform and annotations: what a registry knows about a tag.
impl From<Descriptor> for IndexEntry {
    fn from(d: Descriptor) -> Self {
        Self { media_type: d.media_type, digest: d.digest, size: d.size, platform: None, annotations: BTreeMap::new() }
    }
}

struct Resolver<'a, 'f> {
    source: &'static str,
    fetch: &'a mut Fetch<'f>,
    documents: usize,
    seen: HashSet<(Digest, Option<Platform>)>,
    choices: Vec<Choice>,
}

struct Choice {
    entry: IndexEntry,
    /// The manifest, where it had to be read to learn that it is one.
    manifest: Option<Manifest>,
}

impl Resolver<'_, '_> {
    /// Adds the manifests at and below `entry`.
    fn collect(&mut self, entry: &IndexEntry, depth: usize) -> Result<(), SourceError> {
        if entry.is_attestation() || !self.seen.insert((entry.digest, entry.platform.clone())) {
            return Ok(());
        }
        if self.choices.len() >= MAX_CHOICES {
            return Err(SourceError::malformed(named("index", entry.digest), "it offers too many manifests"));
        }
        // Within an index the platform says that it is a manifest, and reading it can wait until it is chosen.
        if depth > 0 && !entry.is_index() && entry.platform.is_some() {
            self.choices.push(Choice { entry: entry.clone(), manifest: None });
            return Ok(());
        }
        match self.document(entry)? {
            Document::Manifest(manifest) => {
                self.choices.push(Choice { entry: entry.clone(), manifest: Some(manifest) });
            }
            Document::Index(_) if depth == MAX_DEPTH => {
                let reason = format!("indexes are nested more than {MAX_DEPTH} deep");
                return Err(SourceError::malformed(named("index", entry.digest), reason));
            }
            Document::Index(index) => {
                for below in &index.manifests {
                    self.collect(below, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn choose(&mut self, choice: &PlatformChoice) -> Result<Vec<Image>, SourceError> {
        let choices = std::mem::take(&mut self.choices);
        let Some(wanted) = choice.wanted() else {
            return self.every(choices);
        };
        if let [only] = choices.as_slice() {
            let image = self.image(only)?;
            return match choice {
                PlatformChoice::Exactly(_) if !image.platform.serves(&wanted) => {
                    Err(SourceError::NoSuchPlatform { wanted, there: vec![image.platform] })
                }
                _ => Ok(vec![image]),
            };
        }
        if let Some(best) = best(&choices, &wanted) {
            return Ok(vec![self.image(best)?]);
        }
        // A descriptor may leave the platform out: then only the configuration tells.
        let mut there: Vec<Platform> = choices.iter().filter_map(|c| c.entry.platform.clone()).collect();
        for untold in choices.iter().filter(|c| c.entry.platform.is_none()) {
            let image = self.image(untold)?;
            if image.platform.serves(&wanted) {
                return Ok(vec![image]);
            }
            there.push(image.platform);
        }
        if there.is_empty() {
            return Err(SourceError::NotAnImage {
                what: "the index".into(),
                reason: "it names no manifest of an image".into(),
            });
        }
        there.sort();
        there.dedup();
        Err(SourceError::NoSuchPlatform { wanted, there })
    }

    fn every(&mut self, choices: Vec<Choice>) -> Result<Vec<Image>, SourceError> {
        let mut seen = HashSet::new();
        let images = choices
            .iter()
            .filter(|c| seen.insert(c.entry.digest))
            .map(|c| self.image(c))
            .collect::<Result<Vec<_>, _>>()?;
        if images.is_empty() {
            let (what, reason) = ("the index".into(), "it names no manifest of an image".into());
            return Err(SourceError::NotAnImage { what, reason });
        }
        Ok(images)
    }

    fn image(&mut self, choice: &Choice) -> Result<Image, SourceError> {
        let manifest = match &choice.manifest {
            Some(manifest) => manifest.clone(),
            None => match self.document(&choice.entry)? {
                Document::Manifest(manifest) => manifest,
                Document::Index(_) => {
                    let what = named("manifest", choice.entry.digest);
                    return Err(SourceError::malformed(what, "an index stands where a manifest was announced"));
                }
            },
        };
        let what = named("configuration", manifest.config.digest);
        let bytes = self.verified(&manifest.config, MAX_CONFIG, &what)?;
        let config = read_config(&bytes, what)?;
        let digest = choice.entry.digest;
        let layers =
            pair(manifest.layers, &config).map_err(|e| SourceError::malformed(named("manifest", digest), e))?;
        let platform = platform(&config, choice.entry.platform.as_ref());
        Ok(Image { source: self.source, digest, platform, config, annotations: manifest.annotations, layers })
    }

    fn document(&mut self, entry: &IndexEntry) -> Result<Document, SourceError> {
        let what = named("manifest", entry.digest);
        let bytes = self.verified(&entry.descriptor(), MAX_MANIFEST, &what)?;
        Document::read(&bytes, &entry.media_type).map_err(|error| SourceError::malformed(what, error))
    }

    fn verified(&mut self, descriptor: &Descriptor, limit: u64, what: &str) -> Result<Vec<u8>, SourceError> {
        self.documents += 1;
        if self.documents > MAX_DOCUMENTS {
            return Err(SourceError::malformed("the index", "it leads to too many manifests"));
        }
        let Descriptor { digest, size, .. } = *descriptor;
        if size > limit {
            return Err(SourceError::TooLarge { what: what.to_owned(), size, limit });
        }
        let bytes = (self.fetch)(descriptor, limit)?;
        if bytes.len() as u64 != size {
            return Err(SourceError::SizeMismatch { digest, expected: size, found: bytes.len() as u64 });
        }
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(SourceError::DigestMismatch { what: what.to_owned(), expected: digest, found });
        }
        Ok(bytes)
    }
}

/// The choice for `wanted`: the very platform, then the usual variant of its architecture, then any that serves it.
fn best<'a>(choices: &'a [Choice], wanted: &Platform) -> Option<&'a Choice> {
    let usual = match wanted.architecture.as_str() {
        "arm" => Some("v7"),
        "arm64" => Some("v8"),
        "amd64" => Some("v1"),
        _ => None,
    };
    let rank = |platform: &Platform| {
        if platform == wanted {
            0
        } else if platform.variant.as_deref() == usual {
            1
        } else {
            2
        }
    };
    let told = choices.iter().filter_map(|choice| Some((choice, choice.entry.platform.as_ref()?)));
    told.filter(|(_, platform)| platform.serves(wanted)).min_by_key(|(_, platform)| rank(platform)).map(|(c, _)| c)
}

/// Reads a configuration whose digest has been verified.
pub(super) fn read_config(bytes: &[u8], what: String) -> Result<ImageConfig, SourceError> {
    serde_json::from_slice(bytes).map_err(|error| SourceError::malformed(what, error))
}

/// Each layer with what the configuration says it unpacks to.
fn pair(blobs: Vec<Descriptor>, config: &ImageConfig) -> Result<Vec<Layer>, String> {
    let diff_ids = &config.rootfs.diff_ids;
    if blobs.len() != diff_ids.len() {
        return Err(format!("it has {} layers and its configuration {} diff IDs", blobs.len(), diff_ids.len()));
    }
    Ok(blobs.into_iter().zip(diff_ids).map(|(blob, &diff_id)| Layer { blob, diff_id }).collect())
}

/// The platform of an image: what its configuration says; where it says nothing, what the index said.
pub(super) fn platform(config: &ImageConfig, announced: Option<&Platform>) -> Platform {
    if config.os.is_empty()
        && config.architecture.is_empty()
        && let Some(announced) = announced
    {
        return announced.clone();
    }
    let variant = config.variant.clone().filter(|variant| !variant.is_empty());
    Platform { os: config.os.clone(), architecture: config.architecture.clone(), variant }
}

fn named(kind: &str, digest: Digest) -> String {
    format!("{kind} {digest}")
}
