//! Which images expose the same value: an index by fingerprint, written with each report that is published.
//!
//! An entry counts as long as the report that it was written with is the newest on its image. So a report can come before
//! what takes its place, and none is ever told that is not so any more.

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lazaret::digest::Digest;
use lazaret::door::store::{SharedStore, StoreError};
use lazaret::exposure::Severity;
use serde::{Deserialize, Serialize};

use super::job::SCHEMA;
use super::stored::{self, Latest};
use crate::report::Report;

/// The most fingerprints of one image that the index takes.
const MAX_OF_IMAGE: usize = 1000;
/// The most images that are told.
const MAX_IMAGES: usize = 10_000;
/// Objects that are read or written at a time.
const AT_ONCE: usize = 16;

/// Everywhere that a value is exposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sightings {
    /// [`SCHEMA`].
    pub schema: u16,
    /// What was asked for.
    pub fingerprint: String,
    /// The images, by reference and platform.
    pub images: Vec<Sighting>,
    /// Whether there are more than are told.
    pub more: bool,
}

/// An image that exposes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What was submitted.
    pub reference: String,
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The id of the report that says so.
    pub report: String,
    /// How many layers the image has.
    pub layers: u32,
    /// What it is.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// The file that has it first, from the bottom up.
    pub path: String,
    /// The blob of its layer; none for the image's configuration and manifest.
    pub layer: Option<Digest>,
    /// The instruction that made that layer.
    pub instruction: Option<String>,
}

impl Sightings {
    /// The image that most likely brought the value to the others: of those with the layer that most of them have it in, the one
    /// with the fewest layers.
    pub fn origin(&self) -> Option<&Sighting> {
        let mut by_layer: HashMap<Digest, usize> = HashMap::new();
        for layer in self.images.iter().filter_map(|image| image.layer) {
            *by_layer.entry(layer).or_default() += 1;
        }
        let most = by_layer.into_iter().max_by_key(|(layer, images)| (*images, *layer))?.0;
        self.images
            .iter()
            .filter(|image| image.layer == Some(most))
            .min_by_key(|image| (image.layers, &image.reference))
    }
}

/// What a report adds to the index: an entry for each value that is none to dismiss.
fn sightings(report: &Report, latest: &Latest, platform: &str) -> BTreeMap<String, Sighting> {
    let mut sightings: BTreeMap<String, Sighting> = BTreeMap::new();
    let mut rows: Vec<_> = report.exposures.iter().collect();
    rows.sort_by_key(|row| row.layer);
    for row in rows {
        let Some(fingerprint) = &row.fingerprint else { continue };
        if sightings.len() == MAX_OF_IMAGE || sightings.contains_key(fingerprint) {
            continue;
        }
        let layer = row.layer.and_then(|index| report.layers.get(index as usize));
        let sighting = Sighting {
            reference: latest.reference.clone(),
            platform: platform.to_owned(),
            digest: latest.digest,
            report: latest.report.clone(),
            layers: report.layers.len() as u32,
            title: row.title.clone(),
            severity: row.severity,
            path: row.path.clone(),
            layer: layer.map(|layer| layer.digest),
            instruction: row.instruction.clone(),
        };
        sightings.insert(fingerprint.clone(), sighting);
    }
    sightings
}

/// What the index says of a report that is about to be the newest: keys and objects.
pub(super) fn entries(report: &Report, latest: &Latest, platform: &str) -> Vec<(String, Vec<u8>)> {
    let entries = sightings(report, latest, platform).into_iter().map(|(fingerprint, sighting)| {
        let key = stored::exposed(&fingerprint, &latest.reference, platform);
        (key, serde_json::to_vec(&sighting).unwrap_or_default())
    });
    entries.collect()
}

/// Where the value with this fingerprint is exposed.
///
/// # Errors
/// The store.
pub(super) async fn find(store: &SharedStore, fingerprint: &str) -> Result<Sightings, StoreError> {
    let mut found = Sightings { schema: SCHEMA, fingerprint: fingerprint.to_owned(), images: Vec::new(), more: false };
    if fingerprint.len() != 32 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(found);
    }
    let prefix = stored::exposed_by(&fingerprint.to_ascii_lowercase());
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&prefix, after.as_deref()).await?;
        let Some(last) = page.last().cloned() else { break };
        let entries = page.into_iter().map(|key| confirmed(store, key));
        let confirmed: Vec<_> = stream::iter(entries).buffer_unordered(AT_ONCE).try_collect().await?;
        found.images.extend(confirmed.into_iter().flatten());
        if found.images.len() > MAX_IMAGES {
            found.images.truncate(MAX_IMAGES);
            found.more = true;
            break;
        }
        after = Some(last);
    }
    found.images.sort_by(|a, b| (&a.reference, &a.platform).cmp(&(&b.reference, &b.platform)));
    Ok(found)
}

/// The entry, if its report is still the newest on its image.
async fn confirmed(store: &SharedStore, key: String) -> Result<Option<Sighting>, StoreError> {
    let Some(sighting) = store.get(&key).await? else { return Ok(None) };
    let Ok(sighting) = serde_json::from_slice::<Sighting>(&sighting) else { return Ok(None) };
    let newest = store.get(&stored::latest(&sighting.reference, &sighting.platform)).await?;
    let newest = newest.and_then(|newest| serde_json::from_slice::<Latest>(&newest).ok());
    Ok(newest.is_some_and(|newest| newest.report == sighting.report).then_some(sighting))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lazaret::door::store::MemoryStore;

    use super::*;

    const FINGERPRINT: &str = "00112233445566778899aabbccddeeff";

    fn sighting(reference: &str, report: &str, layers: u32, layer: &[u8]) -> Sighting {
        Sighting {
            reference: reference.into(),
            platform: "linux/amd64".into(),
            digest: Digest::of(reference.as_bytes()),
            report: report.into(),
            layers,
            title: "A key".into(),
            severity: Severity::High,
            path: "etc/key".into(),
            layer: Some(Digest::of(layer)),
            instruction: None,
        }
    }

    async fn put(store: &SharedStore, sighting: &Sighting, newest: &str) {
        let Sighting { reference, platform, digest, .. } = sighting;
        let key = stored::exposed(FINGERPRINT, reference, platform);
        store.put(&key, serde_json::to_vec(sighting).unwrap()).await.unwrap();
        let latest = Latest {
            schema: SCHEMA,
            reference: reference.clone(),
            digest: *digest,
            report: newest.into(),
            sequence: 1,
        };
        store.put(&stored::latest(reference, platform), serde_json::to_vec(&latest).unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn what_the_newest_reports_say_is_found_and_its_origin() {
        let store: SharedStore = Arc::new(MemoryStore::default());
        put(&store, &sighting("app", "r1", 5, b"base"), "r1").await;
        put(&store, &sighting("base", "r2", 1, b"base"), "r2").await;
        put(&store, &sighting("other", "r3", 1, b"own"), "r3").await;
        put(&store, &sighting("mended", "r4", 5, b"base"), "r5").await;
        let found = find(&store, FINGERPRINT).await.unwrap();
        let images: Vec<_> = found.images.iter().map(|image| image.reference.as_str()).collect();
        assert_eq!(images, ["app", "base", "other"], "a newer report does not have it any more");
        assert_eq!(found.origin().unwrap().reference, "base");
        assert!(find(&store, &"0".repeat(32)).await.unwrap().images.is_empty());
        assert!(find(&store, "../latest").await.unwrap().images.is_empty());
    }
}
