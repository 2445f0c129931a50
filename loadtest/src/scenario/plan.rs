//! What planning costs without a coordinator: tasks published and confirmed, and layer references deduplicated.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use lazaret::digest::Digest;
use lazaret::door::cache::{self, CacheSettings, SharedCache};
use lazaret::door::queue::{self, QueueSettings};
use lazaret::image::Descriptor;
use lazaret::key;
use lazaret::task::{Class, Place, Task, TaskId};
use tokio::runtime::Runtime;

use super::Settings;
use crate::farm::servers::Servers;
use crate::farm::{FarmError, usage};
use crate::fleet::seed::{Chance, Zipf};
use crate::verdict::{Verdict, figure};

/// Layers of an image.
const LAYERS: u32 = 10;
/// Different layers among a million references.
const DISTINCT: u32 = 100_000;
/// References that are asked for in one round trip.
const BATCH: usize = 5_000;
/// A fingerprint that no build has.
const SET: &str = "00000000000000000000000000000000";

pub(super) fn run(settings: &Settings) -> Result<Verdict, FarmError> {
    let servers = Servers::start(false)?;
    let runtime = Runtime::new()?;
    let mut verdict = Verdict::default();
    runtime.block_on(published(&servers, settings, &mut verdict))?;
    let cache = cache::open(&servers.redis.url(None), CacheSettings::default());
    let cache = cache.map_err(|error| FarmError::Door(error.to_string()))?;
    runtime.block_on(deduplicated(&cache, settings, &mut verdict));
    Ok(verdict)
}

fn blob(number: u32) -> Descriptor {
    let digest = Digest::of(&number.to_le_bytes());
    Descriptor { media_type: "application/vnd.oci.image.layer.v1.tar+gzip".into(), digest, size: u64::from(number) + 1 }
}

/// Publishes tasks as the planner does, and waits for the confirmation of each.
async fn published(servers: &Servers, settings: &Settings, verdict: &mut Verdict) -> Result<(), FarmError> {
    let door = |error: queue::QueueError| FarmError::Door(error.to_string());
    let queue = queue::open(&servers.broker.url(), &QueueSettings::default()).await.map_err(door)?;
    let count = settings.scaled(50_000, 1_000);
    let place = Place { registry: "registry.example:5000".into(), repository: "team/service".into() };
    let tasks: Vec<Task> =
        (0..count).map(|number| Task::new(blob(number), SET, Class::Bulk, vec![place.clone()])).collect();
    let start = Instant::now();
    let mut confirmed = 0;
    for batch in tasks.chunks(BATCH) {
        confirmed += queue.publish(batch).await.iter().filter(|outcome| outcome.is_ok()).count();
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    verdict.equal("tasks confirmed", count as usize, confirmed);
    verdict.at_least("tasks published and confirmed", 5_000.0, rate, "tasks/s");
    let depth = queue.depths().await.map_err(door)?.bulk;
    verdict.equal("tasks in the queue", u64::from(count), depth);
    queue.close().await;
    Ok(())
}

/// Finds the distinct layers among many references, and which of them the cache has.
async fn deduplicated(cache: &SharedCache, settings: &Settings, verdict: &mut Verdict) {
    let references = settings.scaled(1_000_000, 10_000);
    let distinct = settings.scaled(DISTINCT, 1_000);
    let popularity = Zipf::new(distinct, 0.8);
    // Every fourth layer is known already.
    let known: Vec<String> = (0..distinct).step_by(4).map(|n| key::layer(&blob(n).digest, SET)).collect();
    for key in &known {
        cache.put(key, b"known").await;
    }
    // The references exist before the clock starts: manifests are another matter. One layer of an image at a time, since
    // this is how a planner meets them.
    let layers: Vec<Descriptor> = (0..distinct).map(blob).collect();
    let mut chance = Chance::of(settings.seed, &[20]);
    let wanted: Vec<u32> = (0..references).map(|_| popularity.choose(&mut chance)).collect();
    let start = Instant::now();
    let (mut seen, mut batch, mut present) = (HashSet::new(), Vec::with_capacity(BATCH), 0);
    for image in wanted.chunks(LAYERS as usize) {
        for layer in image {
            let layer = &layers[*layer as usize];
            if seen.insert(TaskId::new(layer, SET)) {
                batch.push(key::layer(&layer.digest, SET));
            }
        }
        if batch.len() >= BATCH {
            present += count(cache.present(&batch).await);
            batch.clear();
        }
    }
    present += count(cache.present(&batch).await);
    let took = start.elapsed();
    let expected = wanted.iter().filter(|layer| **layer % 4 == 0).collect::<HashSet<_>>().len();
    verdict.note("references, distinct layers", format!("{references}, {}", seen.len()));
    verdict.equal("of them known to the cache", expected, present);
    let limit = Duration::from_secs(5).mul_f64((f64::from(references) / 1e6).max(1.0));
    verdict.within("deduplicated and looked up", limit, took);
    let resident = usage::of(std::process::id()).resident;
    verdict.at_most(
        "memory of this process, servers' proxies included",
        512.0,
        resident as f64 / f64::from(1 << 20),
        "MiB",
    );
    verdict.note("references in a second", figure(f64::from(references) / took.as_secs_f64(), ""));
}

fn count(present: Vec<bool>) -> usize {
    present.into_iter().filter(|present| *present).count()
}
