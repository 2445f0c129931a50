//! The first night: every image is scanned, each distinct layer pulled once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount};
use lazaret::door::source::registry::{Credentials, Registry, RegistryOptions};
use lazaret::door::source::{PlatformChoice, SourceOptions};
use lazaret::door::store;
use lazaret::image::Platform;
use tokio::time::timeout;

use super::super::Failure;
use super::super::progress::Shown;
use super::figures::First;
use super::layers::Layers;
use super::night::Night;
use super::workers::Workers;
use super::{Stage, farm, oracle};
use crate::assess;
use crate::engine::Engine;
use crate::local::Searching;
use crate::pipeline::Progress;
use crate::policy::Policy;
use crate::report::build::Scanner;

pub(super) const SCANNERS: [Scanner; 4] = [Scanner::Packages, Scanner::Vuln, Scanner::Secret, Scanner::Malware];

/// Scans everything, and compares every image with what the seed says.
pub(super) fn scan(
    stage: &Stage,
    plan: Option<&farm::Plan>,
    workers: &Workers,
    directory: &Path,
) -> Result<Night, Failure> {
    let (snapshot, summary) = stage.snapshots.open(1)?;
    let start = Instant::now();
    let registry = Registry::new(RegistryOptions {
        credentials: Credentials::default(),
        insecure: [stage.registry.address().to_string()].into(),
        ..RegistryOptions::default()
    });
    let progress = Arc::new(Progress::default());
    let engine = engine(stage, plan, workers, directory, &registry, &progress)?;
    let (planner, job) = (engine.planner(), engine.job());
    let mut night = Night {
        figures: First::default(),
        images: Vec::with_capacity(stage.fleet.len() as usize),
        report: None,
        concerns: HashMap::new(),
        registry,
        planner,
    };
    let mut layers = Layers::default();
    let shown = shown(stage, progress);
    let references = stage.registry.references().map(|reference| format!("docker://{reference}")).collect();
    let mut scanned = {
        let _context = stage.runtime.enter();
        engine.scan(references)
    };
    for (image, name) in (0..).zip((0..stage.fleet.len()).map(|image| oracle::shown_name(&stage.fleet, image))) {
        let scanned = loop {
            let look = async { timeout(Duration::from_secs(1), scanned.recv()).await };
            match stage.runtime.block_on(look) {
                Ok(Some((_, scanned))) => break scanned,
                Ok(None) => return Err(Failure::new("the scans ended early: this is a bug of lazaret")),
                // Without workers nothing comes any more.
                Err(_) => workers.check()?,
            }
        };
        let scanned = scanned.map_err(|error| Failure::new(format_args!("{name}: {error}")))?;
        for (found, inventoried) in scanned {
            layers.add(&found);
            let policy = Policy::default();
            let report = assess::report(&name, &found, &inventoried, &SCANNERS, &policy, |_| Ok((&snapshot, &summary)));
            let known = oracle::check(&stage.fleet, image, 1, &report)?;
            night.figures.expected_findings += stage.fleet.expected_findings(image, 1).len() as u64;
            night.judged(&name, known, report);
        }
    }
    drop(shown);
    let ledger = job.ledger();
    night.figures.layers_analysed = ledger.layers_analysed;
    night.figures.layers_reused = ledger.layers_reused;
    night.figures.bytes_pulled = ledger.bytes_pulled;
    night.figures.analysis_cpu_seconds = ledger.cpu_micros as f64 / 1e6;
    night.figures.seconds = start.elapsed().as_secs_f64();
    layers.count(stage, &mut night.figures, plan.is_some())?;
    Ok(night)
}

fn engine(
    stage: &Stage,
    plan: Option<&farm::Plan>,
    workers: &Workers,
    directory: &Path,
    registry: &Registry,
    progress: &Arc<Progress>,
) -> Result<Engine, Failure> {
    let runtime = stage.runtime.clone();
    let registry = Some(registry.clone().opener(runtime.clone()));
    let options = SourceOptions { runtime, engines: Vec::new(), registry };
    let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
    let (choice, progress) = (PlatformChoice::Exactly(platform), Arc::clone(progress));
    stage.runtime.block_on(async {
        match plan {
            None => {
                let store = store::open("memory:").await.map_err(Failure::new)?;
                Ok(Engine::embedded(store, Searching::default(), options, choice, progress))
            }
            Some(plan) => {
                let doors = plan.open(workers, directory, stage.registry.address()).await?;
                let job = format!("demo-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond());
                Ok(Engine::of_farm(&job, doors, Searching::default(), options, choice, progress))
            }
        }
    })
}

fn shown(stage: &Stage, progress: Arc<Progress>) -> Shown {
    const TEMPLATE: &str = " {bar:30} {pos}/{len} images  {wide_msg}";
    let registry = Arc::clone(&stage.registry);
    Shown::draw(TEMPLATE, move |bar| {
        bar.set_length(progress.images.load(Ordering::Relaxed));
        bar.set_position(progress.images_done.load(Ordering::Relaxed));
        let (layers, counts) = (progress.layers.load(Ordering::Relaxed), registry.counts());
        let (layers, blobs) = (HumanCount(layers), HumanCount(counts.blob_gets));
        bar.set_message(format!("{layers} layers met, {blobs} blobs pulled, {}", HumanBytes(counts.blob_bytes)));
    })
}
