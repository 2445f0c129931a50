//! The second night: new advisories, the same images. The registry is asked whether the tags have moved, and for nothing else.

use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use lazaret::image::Image;
use lazaret::reference::RegistryReference;

use super::super::Failure;
use super::figures::Second;
use super::first_night::SCANNERS;
use super::night::Night;
use super::{Stage, oracle};
use crate::assess;
use crate::pipeline::{self, Inventoried};
use crate::policy::Policy;

/// Tags that are asked for at a time.
const AT_ONCE: usize = 16;

/// Judges every image again.
pub(super) fn reassess(stage: &Stage, night: &Night) -> Result<Second, Failure> {
    stage.registry.reset_counts();
    let start = Instant::now();
    let (snapshot, summary) = stage.snapshots.open(2)?;
    let mut figures = Second::default();
    let mut recalled = stream::iter(stage.registry.references())
        .map(|reference| async move { recall(night, &reference).await })
        .buffered(AT_ONCE);
    for (image, first) in (0..).zip(&night.images) {
        let Some(recalled) = stage.runtime.block_on(recalled.next()) else { break };
        let (found, inventoried) = recalled?;
        let policy = Policy::default();
        let report =
            assess::report(&first.name, &found, &inventoried, &SCANNERS, &policy, |_| Ok((&snapshot, &summary)));
        let known = oracle::check(&stage.fleet, image, 2, &report)?;
        let new = known.difference(&first.known).count() as u64;
        figures.new_findings += new;
        figures.images_with_new_findings += u64::from(new > 0);
        figures.findings += known.len() as u64;
        figures.expected_findings += stage.fleet.expected_findings(image, 2).len() as u64;
    }
    let counts = stage.registry.counts();
    figures.blob_gets = counts.blob_gets;
    figures.manifest_gets = counts.manifest_gets;
    figures.manifest_heads = counts.manifest_heads;
    figures.seconds = start.elapsed().as_secs_f64();
    if figures.blob_gets > 0 {
        let blobs = figures.blob_gets;
        return Err(Failure::new(format_args!("the second night pulled {blobs} blobs: this is a bug of lazaret")));
    }
    Ok(figures)
}

/// The inventory of the image that the tag stands for, from the store.
async fn recall(night: &Night, text: &str) -> Result<(Image, Inventoried), Failure> {
    let reference: RegistryReference = text.parse().map_err(Failure::new)?;
    let digest = night.registry.digest(&reference).await.map_err(Failure::new)?;
    let recalled = pipeline::recall_pinned("registry", digest, &night.planner).await;
    recalled.ok_or_else(|| Failure::new(format_args!("{text} is not in the store: this is a bug of lazaret")))
}
