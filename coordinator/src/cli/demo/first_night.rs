//! The first night: every image is scanned, each distinct layer pulled once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount};
use lazaret::digest::Digest;
use lazaret::door::source::registry::{Credentials, Registry, RegistryOptions};
use lazaret::door::source::{PlatformChoice, SourceOptions};
use lazaret::door::store;
use lazaret::image::{Image, Platform};
use tokio::time::timeout;

use super::super::Failure;
use super::super::engine::Engine;
use super::super::progress::Shown;
use super::figures::First;
use super::oracle::{self, Known};
use super::workers::Workers;
use super::{Stage, farm};
use crate::assess;
use crate::matching::Level;
use crate::pipeline::Progress;
use crate::plan::Planner;
use crate::policy::Policy;
use crate::report::Report;
use crate::report::build::Scanner;

pub(super) const SCANNERS: [Scanner; 2] = [Scanner::Packages, Scanner::Vuln];

/// What is left of the first night.
pub(super) struct Night {
    pub(super) figures: First,
    /// By their numbers.
    pub(super) images: Vec<Judged>,
    /// The worst image's.
    pub(super) report: Option<Report>,
    /// How many images each advisory concerns: by package and the name of the finding.
    pub(super) concerns: HashMap<(String, String), Concern>,
    /// What asks the registry, and what has the inventories.
    pub(super) registry: Registry,
    pub(super) planner: Arc<Planner>,
}

/// An image, judged.
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) known: BTreeSet<Known>,
    pub(super) critical: u32,
    pub(super) high: u32,
    pub(super) medium: u32,
    /// Findings with a fix.
    pub(super) fixable: u32,
}

/// A vulnerability of a package, wherever it is.
pub(super) struct Concern {
    pub(super) level: Level,
    pub(super) images: u32,
    /// The version that fixes it, in the image that was looked at last.
    pub(super) fixed: Option<String>,
}

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
    let mut sums = Sums::default();
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
            sums.add(&found);
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
    sums.finish(stage, &mut night.figures, plan.is_some())?;
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
    let runtime = stage.runtime.handle().clone();
    let registry = Some(registry.clone().opener(runtime.clone()));
    let options = SourceOptions { runtime, engines: Vec::new(), registry };
    let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
    let (choice, progress) = (PlatformChoice::Exactly(platform), Arc::clone(progress));
    stage.runtime.block_on(async {
        match plan {
            None => {
                let store = store::open("memory:").await.map_err(Failure::new)?;
                Ok(Engine::embedded(store, options, choice, progress))
            }
            Some(plan) => {
                let doors = plan.open(workers, directory, stage.registry.address()).await?;
                let job = format!("demo-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond());
                Ok(Engine::of_farm(&job, doors, options, choice, progress))
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

impl Night {
    fn judged(&mut self, name: &str, known: BTreeSet<Known>, report: Report) {
        let count = |level| report.findings.iter().filter(|row| row.severity.level == level).count() as u32;
        let judged = Judged {
            name: name.to_owned(),
            critical: count(Level::Critical),
            high: count(Level::High),
            medium: count(Level::Medium),
            fixable: report.findings.iter().filter(|row| row.fixed.is_some()).count() as u32,
            known,
        };
        self.figures.packages += report.packages.len() as u64;
        self.figures.findings += judged.known.len() as u64;
        // In one image a package may be there at two versions.
        let mut seen = HashSet::new();
        for row in &report.findings {
            let key = (row.name.clone(), row.id.clone());
            if seen.insert(key.clone()) {
                let new = || Concern { level: row.severity.level, images: 0, fixed: None };
                let concern = self.concerns.entry(key).or_insert_with(new);
                concern.images += 1;
                concern.fixed.clone_from(&row.fixed);
            }
        }
        if self.images.iter().all(|other| other.badness() < judged.badness()) {
            self.report = Some(report);
        }
        self.images.push(judged);
    }
}

impl Judged {
    /// More is worse.
    pub(super) fn badness(&self) -> (u32, u32, u32, usize) {
        (self.critical, self.high, self.medium, self.known.len())
    }
}

/// The layers of all images, added up.
#[derive(Default)]
struct Sums {
    sizes: HashMap<Digest, u64>,
    bases: HashSet<Digest>,
    references: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, image: &Image) {
        self.bases.extend(image.layers.first().map(|layer| layer.blob.digest));
        for layer in &image.layers {
            self.sizes.insert(layer.blob.digest, layer.blob.size);
            self.references += 1;
            self.bytes += layer.blob.size;
        }
    }

    /// # Errors
    /// The registry counted anything else than one GET for each distinct layer. What a farm knows from an earlier run it need
    /// not get.
    fn finish(&self, stage: &Stage, figures: &mut First, may_know: bool) -> Result<(), Failure> {
        let gets = || self.sizes.keys().map(|digest| stage.registry.blob_gets(digest));
        figures.repositories = stage.fleet.repositories().count();
        figures.distinct_bases = self.bases.len();
        figures.layer_references = self.references;
        figures.distinct_layers = self.sizes.len() as u64;
        figures.bytes_if_each_image_were_pulled = self.bytes;
        figures.layer_gets = gets().map(u64::from).sum();
        figures.most_gets_of_one_layer = gets().max().unwrap_or_default();
        let fewest = gets().min().unwrap_or_default();
        if figures.most_gets_of_one_layer > 1 || fewest == 0 && !may_know {
            return Err(Failure::new(format_args!(
                "{} GETs for {} distinct layers, at most {} and at least {fewest} for one: this is a bug of lazaret",
                figures.layer_gets, figures.distinct_layers, figures.most_gets_of_one_layer
            )));
        }
        let pulled: u64 =
            self.sizes.iter().filter(|(digest, _)| stage.registry.blob_gets(digest) > 0).map(|(_, size)| size).sum();
        if pulled != figures.bytes_pulled {
            return Err(Failure::new(format_args!(
                "the ledger says that {} bytes were pulled, the registry {pulled}: this is a bug of lazaret",
                figures.bytes_pulled
            )));
        }
        Ok(())
    }
}
