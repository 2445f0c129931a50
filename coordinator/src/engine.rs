//! The pipeline in this process: references found, resolved, and every image behind them inventoried, several at a time, each
//! distinct layer once; by workers of this process, or by those of a farm.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use lazaret::door::cache::NoCache;
use lazaret::door::queue::{MemoryQueue, QueueSettings};
use lazaret::door::source::{self, ImageSource, Opened, PlatformChoice, SourceOptions};
use lazaret::door::store::SharedStore;
use lazaret::image::Image;
use lazaret::reference::Reference;
use lazaret::task::{Class, Place};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

use crate::doors::Doors;
use crate::local::{self, Searching, Sources};
use crate::pipeline::{self, Inventoried, Progress, Wanted};
use crate::plan::ledger::Job;
use crate::plan::{self, Planner};

/// Images that are looked at at a time: enough that no core waits for a registry.
const AT_ONCE: usize = 16;

/// What a reference came to: its images, or why there are none.
pub type Scanned = Result<Vec<(Image, Inventoried)>, String>;

/// Everything that scans share.
pub struct Engine {
    planner: Arc<Planner>,
    options: SourceOptions,
    choice: PlatformChoice,
    progress: Arc<Progress>,
    job: Arc<Job>,
    workers: Workers,
}

/// Who works on the tasks.
enum Workers {
    /// This process: it reads every source itself, so a source may be a file. The slots end with it.
    Here { sources: Sources, _slots: JoinSet<()> },
    /// Other processes, which know registries only.
    Elsewhere,
}

impl Engine {
    /// Starts planner and workers on this runtime, with nothing but a store behind them.
    pub fn embedded(
        store: SharedStore,
        searching: Searching,
        options: SourceOptions,
        choice: PlatformChoice,
        progress: Arc<Progress>,
    ) -> Self {
        let doors =
            Doors { queue: Arc::new(MemoryQueue::new(&QueueSettings::default())), cache: Arc::new(NoCache), store };
        let mut engine = Self::of_farm("scan", doors, searching, options, choice, progress);
        let sources = Sources::default();
        let slots = local::start(&engine.planner, &sources);
        engine.workers = Workers::Here { sources, _slots: slots };
        engine
    }

    /// Starts a planner on this runtime, for workers that others start behind `doors`.
    pub fn of_farm(
        job: &str,
        doors: Doors,
        searching: Searching,
        options: SourceOptions,
        choice: PlatformChoice,
        progress: Arc<Progress>,
    ) -> Self {
        let planner = Arc::new(Planner::start(doors, searching, plan::Options::default()));
        Self { planner, options, choice, progress, job: Arc::new(Job::new(job)), workers: Workers::Elsewhere }
    }

    /// What plans, for whoever asks it for more than a scan.
    pub fn planner(&self) -> Arc<Planner> {
        Arc::clone(&self.planner)
    }

    /// On whose behalf all of it is: what it cost.
    pub fn job(&self) -> Arc<Job> {
        Arc::clone(&self.job)
    }

    /// What each reference comes to, in their order.
    pub fn scan(self, references: Vec<String>) -> mpsc::Receiver<(String, Scanned)> {
        let (sender, scanned) = mpsc::channel(AT_ONCE);
        self.progress.images.fetch_add(references.len() as u64, std::sync::atomic::Ordering::Relaxed);
        let engine = Arc::new(self);
        tokio::spawn(async move {
            let scans = stream::iter(references).map(|reference| {
                let engine = Arc::clone(&engine);
                async move {
                    let (name, scanning) = (reference.clone(), async move { engine.one(&reference).await });
                    // A bug in one scan ends that one alone.
                    let scanned = tokio::spawn(scanning).await;
                    (name, scanned.unwrap_or_else(|_| Err("the scan crashed: this is a bug of lazaret".to_owned())))
                }
            });
            let mut scans = scans.buffered(AT_ONCE);
            while let Some(scanned) = scans.next().await {
                if sender.send(scanned).await.is_err() {
                    break;
                }
            }
        });
        scanned
    }

    async fn one(self: &Arc<Self>, reference: &str) -> Scanned {
        let scanned = self.found(reference).await;
        self.progress.images_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        scanned
    }

    async fn found(self: &Arc<Self>, reference: &str) -> Scanned {
        let parsed = source::reference(reference).map_err(|error| error.to_string())?;
        let elsewhere = place(&parsed);
        let engine = Arc::clone(self);
        let opened = blocking(move || source::open(&parsed, &engine.options)).await?;
        match opened {
            Opened::Random(source) => self.random(source.into(), elsewhere).await,
            Opened::Directory(tar) => {
                let engine = Arc::clone(self);
                Ok(vec![
                    blocking(move || pipeline::directory(tar, engine.planner.searching(), &engine.progress)).await?,
                ])
            }
            Opened::Stream(archive) => {
                let engine = Arc::clone(self);
                let read = blocking(move || {
                    pipeline::read(archive, &engine.choice, engine.planner.searching(), &engine.progress)
                })
                .await?;
                let mut images = Vec::with_capacity(read.len());
                for image in read {
                    images.push(pipeline::streamed(image, &self.planner.doors().store, self.planner.searching()).await);
                }
                Ok(images)
            }
        }
    }

    /// `elsewhere` is what other processes call the place.
    async fn random(self: &Arc<Self>, source: Arc<dyn ImageSource>, elsewhere: Option<Place>) -> Scanned {
        let (engine, resolving) = (Arc::clone(self), Arc::clone(&source));
        let images = blocking(move || resolving.images(&engine.choice)).await?;
        let entered = match &self.workers {
            Workers::Here { sources, .. } => Some(sources.enter(source, Arc::clone(&self.progress))),
            Workers::Elsewhere => None,
        };
        let (place, class) = match (&entered, &elsewhere) {
            (Some(entered), _) => (&entered.place, Class::Interactive),
            (None, Some(place)) => (place, Class::Bulk),
            (None, None) => return Err("workers elsewhere fetch from registries only".to_owned()),
        };
        let wanted = Wanted { planner: &self.planner, place, class, job: &self.job, progress: &self.progress };
        let mut inventoried = Vec::with_capacity(images.len());
        for image in images {
            let inventory = wanted.inventory(&image).await;
            inventoried.push((image, inventory));
        }
        Ok(inventoried)
    }
}

/// Where workers that are not in this process find the blobs of a reference.
fn place(reference: &Reference) -> Option<Place> {
    match reference {
        Reference::Registry(name) | Reference::Name(name) => {
            Some(Place { registry: name.host.clone(), repository: name.repository.clone() })
        }
        _ => None,
    }
}

/// Runs what waits for disk or network where that is allowed.
async fn blocking<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("reading the image crashed: this is a bug of lazaret".to_owned()),
    }
}
