//! One image of a job: resolved, inventoried, judged, published.

use std::collections::BTreeMap;
use std::sync::Arc;

use lazaret::digest::Digest;
use lazaret::door::source::registry::{Meter, RegistryImage};
use lazaret::door::source::{ImageSource as _, PlatformChoice};
use lazaret::door::store::StoreError;
use lazaret::image::Image;
use lazaret::reference::{Reference, RegistryReference};
use lazaret::task::Place;
use tokio::task::spawn_blocking;
use tracing::Instrument as _;

use super::Farm;
use super::job::{ALL_PLATFORMS, ImageResult, ImageStatus, SCHEMA};
use super::known::Known;
use super::snapshots::Opened;
use super::stored::{Latest, Plan};
use super::{exposed, publish};
use crate::assess;
use crate::pipeline::{self, Inventoried, Progress, Wanted};
use crate::plan::ledger::Job;
use crate::policy::Policy;
use crate::report::build::Scanner;
use crate::report::{Report, json};

/// What the images of one job have in common.
pub(super) struct Setting {
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    pub(super) snapshot: Option<Opened>,
    pub(super) job: Job,
    /// What the store had as the job began.
    pub(super) known: Known,
}

/// What became of a reference: one result for each platform that was asked for.
///
/// # Errors
/// The store does not take the report. Everything else is a result.
pub(super) async fn scan(farm: &Farm, setting: &Setting, reference: &str) -> Result<Vec<ImageResult>, StoreError> {
    let images = match inventoried(farm, setting, reference).await {
        Ok(images) => images,
        Err(error) => return Ok(vec![failed(reference, error)]),
    };
    let mut results = Vec::with_capacity(images.len());
    for looked in images {
        results.push(published(farm, setting, reference, &looked).await?);
    }
    Ok(results)
}

fn failed(reference: &str, error: String) -> ImageResult {
    ImageResult {
        reference: reference.to_owned(),
        status: ImageStatus::Failed,
        digest: None,
        platform: None,
        report: None,
        findings: BTreeMap::new(),
        error: Some(error),
    }
}

/// An image, and what is in it.
struct Looked {
    image: Image,
    inventoried: Inventoried,
    /// Whether nobody has looked at it before.
    is_new: bool,
}

async fn inventoried(farm: &Farm, setting: &Setting, text: &str) -> Result<Vec<Looked>, String> {
    let reference = named(text)?;
    let choice = choice(setting.plan.job.platform.as_deref())?;
    let meter = Arc::new(Meter::default());
    let resolved = resolved(farm, setting, reference, &choice, &meter).await;
    setting.job.count_requests(meter.requests());
    let (images, place, unknown) = match resolved? {
        Resolved::Recalled(recalled) => {
            let (image, inventoried) = *recalled;
            return Ok(vec![Looked { image, inventoried, is_new: false }]);
        }
        Resolved::Images { images, place, unknown } => (images, place, unknown),
    };
    let (class, job, progress) = (setting.plan.job.class, &setting.job, &Progress::default());
    let wanted = Wanted { planner: &farm.planner, place: &place, class, job, progress };
    let mut looked = Vec::with_capacity(images.len());
    for image in images {
        let is_new = unknown == Some(image.digest);
        let inventoried = match is_new {
            true => wanted.compose(&image).await,
            false => wanted.inventory(&image).await,
        };
        setting.known.learn(pipeline::key(&image.digest, &farm.planner));
        looked.push(Looked { image, inventoried, is_new });
    }
    Ok(looked)
}

enum Resolved {
    /// One that was looked at before.
    Recalled(Box<(Image, Inventoried)>),
    /// Those to look at.
    Images {
        images: Vec<Image>,
        /// Where their layers are.
        place: Place,
        /// A manifest of which the store was asked in vain.
        unknown: Option<Digest>,
    },
}

/// What a reference stands for now.
async fn resolved(
    farm: &Farm,
    setting: &Setting,
    reference: RegistryReference,
    choice: &PlatformChoice,
    meter: &Arc<Meter>,
) -> Result<Resolved, String> {
    let registry = farm.registry.metered(Arc::clone(meter));
    let source = RegistryImage::new(registry, reference.clone(), tokio::runtime::Handle::current());
    let pinned = source.pinned().await.map_err(|error| error.to_string())?;
    if let Some(recalled) = recalled(farm, setting, pinned, source.name(), choice).await {
        return Ok(Resolved::Recalled(Box::new(recalled)));
    }
    let choice = choice.clone();
    let images = spawn_blocking(move || source.images(&choice)).await.map_err(|error| error.to_string())?;
    let place = Place { registry: reference.host, repository: reference.repository };
    Ok(Resolved::Images { images: images.map_err(|error| error.to_string())?, place, unknown: pinned })
}

/// The image, if it was looked at before: nothing of it but its manifest was fetched then.
async fn recalled(
    farm: &Farm,
    setting: &Setting,
    pinned: Option<Digest>,
    source: &'static str,
    choice: &PlatformChoice,
) -> Option<(Image, Inventoried)> {
    let digest = pinned?;
    if setting.known.lacks(&pipeline::key(&digest, &farm.planner)) {
        return None;
    }
    let recalled = pipeline::recall_pinned(source, digest, &farm.planner).await?;
    if let PlatformChoice::Exactly(wanted) = choice
        && !recalled.0.platform.serves(wanted)
    {
        return None;
    }
    setting.job.count_recalled();
    Some(recalled)
}

/// A reference that a farm can look at: in a registry.
pub(super) fn named(text: &str) -> Result<RegistryReference, String> {
    match text.parse::<Reference>() {
        Ok(Reference::Registry(reference) | Reference::Name(reference)) => Ok(reference),
        Ok(_) => Err(format!("{}: a farm scans images in registries only", lazaret::text::visible(text))),
        Err(error) => Err(error.to_string()),
    }
}

fn choice(platform: Option<&str>) -> Result<PlatformChoice, String> {
    match platform {
        None => Ok(PlatformChoice::Host),
        Some(ALL_PLATFORMS) => Ok(PlatformChoice::All),
        Some(platform) => platform.parse().map(PlatformChoice::Exactly).map_err(|error| format!("{error}")),
    }
}

async fn published(
    farm: &Farm,
    setting: &Setting,
    reference: &str,
    Looked { image, inventoried, is_new }: &Looked,
) -> Result<ImageResult, StoreError> {
    let report = tracing::info_span!("match").in_scope(|| judged(setting, reference, image, inventoried));
    let mut bytes = Vec::new();
    json::write(&mut bytes, &report).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let id = blake3::hash(&bytes).to_hex().to_string();
    let platform = report.image.platform.clone();
    let latest = Latest {
        schema: SCHEMA,
        reference: reference.to_owned(),
        digest: image.digest,
        report: id.clone(),
        sequence: setting.plan.sequence,
    };
    let beside = exposed::entries(&report, &latest, &platform);
    let publishing = publish::publish(&farm.planner.doors().store, &latest, &platform, &bytes, beside, *is_new);
    publishing.instrument(tracing::info_span!("publish", report = id)).await?;
    let mut findings = BTreeMap::new();
    for row in &report.findings {
        *findings.entry(row.severity.level.name().to_owned()).or_insert(0) += 1;
    }
    let layers = inventoried.failed.iter().map(|(index, reason)| format!("layer {index}: {reason}"));
    let error = layers.collect::<Vec<_>>().join("; ");
    Ok(ImageResult {
        reference: reference.to_owned(),
        status: if report.coverage.complete { ImageStatus::Complete } else { ImageStatus::Incomplete },
        digest: Some(image.digest),
        platform: Some(platform),
        report: Some(id),
        findings,
        error: Some(error).filter(|error| !error.is_empty()),
    })
}

fn judged(setting: &Setting, reference: &str, image: &Image, inventoried: &Inventoried) -> Report {
    const SCANNERS: [Scanner; 4] = [Scanner::Packages, Scanner::Vuln, Scanner::Secret, Scanner::Malware];
    let snapshot = setting.snapshot.as_ref().map(Arc::as_ref);
    assess::report(reference, image, inventoried, &SCANNERS, &setting.policy, |_| match snapshot {
        Some((snapshot, summary)) => Ok((snapshot, summary)),
        None => {
            Err("the farm has no advisory snapshot: run `lazaret advisories update` beside its coordinators".into())
        }
    })
}
