//! The worker, in this process. The only file of the coordinator that names it.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lazaret::door::queue::Delivery;
use lazaret::door::source::{ImageSource, OpenRegistry};
use lazaret::exposure::{Exposure, IdentityKey};
use lazaret::image::{Descriptor, Layer};
use lazaret::inventory::LayerInventory;
use lazaret::key;
use lazaret::path::LayerPath;
use lazaret::record::{Cost, FailureKind, LayerRecord};
use lazaret::reference::RegistryReference;
use lazaret::rules::RulesObject;
use lazaret::task::{Class, Place, Task};
use lazaret::wire::{self, Kind};
use lazaret_worker::analyze;
pub use lazaret_worker::analyze::Analysis;
use lazaret_worker::limits::Limits;
pub use lazaret_worker::ruleset::RulesetError;
use lazaret_worker::ruleset::{Ruleset, SearchSettings};
use lazaret_worker::secrets::Document;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::pipeline::Progress;
use crate::plan::{Failure, Planner};

/// What images are searched with: rules, and the key of identities.
#[derive(Clone)]
pub struct Searching {
    rules: Ruleset,
    settings: Arc<SearchSettings>,
    set: Arc<str>,
}

impl Default for Searching {
    fn default() -> Self {
        Self::of(Ruleset::built_in(), SearchSettings::default())
    }
}

impl Searching {
    /// With the built-in rules and those that were added.
    ///
    /// # Errors
    /// One of those is wrong.
    pub fn new(added: Option<RulesObject>, key: Option<IdentityKey>) -> Result<Self, RulesetError> {
        Ok(Self::of(Ruleset::with(added.as_ref())?, SearchSettings { added, key }))
    }

    fn of(rules: Ruleset, settings: SearchSettings) -> Self {
        let set = lazaret_worker::fingerprint::inventories(settings.rules(), settings.key.as_ref());
        Self { rules, set: set.to_string().into(), settings: Arc::new(settings) }
    }

    /// The fingerprint of what inventories are made with.
    pub fn set(&self) -> &str {
        &self.set
    }

    /// The rules that were added.
    pub fn added(&self) -> Option<&RulesObject> {
        self.settings.added.as_ref()
    }

    /// What identities are keyed with.
    pub fn key(&self) -> Option<&IdentityKey> {
        self.settings.key.as_ref()
    }

    /// Looks for malware in a short text that says what an image runs, known as `path`.
    pub fn malware(&self, path: &LayerPath, text: &str) -> Vec<Exposure> {
        lazaret_worker::malware::document(path, text)
    }

    /// Searches a short text of an image's documents, known as `path`.
    pub fn document(&self, path: &LayerPath, text: &str) -> Option<Document> {
        let mut found = lazaret_worker::secrets::document(self.rules, path, text)?;
        for exposure in &mut found.exposures {
            exposure.identity = exposure.identity.sealed(self.key());
        }
        Some(found)
    }
}

/// Whether a rule of secrets goes by the name of a setting alone.
pub fn is_generic(rule: &str) -> bool {
    lazaret_worker::secrets::is_generic(rule)
}

/// Analyses a layer of an archive before it is known which one it is; counts the blob's bytes as they are read.
///
/// # Errors
/// The blob does not read, unpack or walk.
pub fn analyze_unnamed(
    blob: impl BufRead,
    searching: &Searching,
    read: &AtomicU64,
) -> Result<Analysis, analyze::Failure> {
    let blob = Counted { inner: blob, read };
    let mut analysis = analyze::analyze_unnamed(blob, &Limits::default(), searching.rules)?;
    analysis.inventory.seal(searching.key());
    Ok(analysis)
}

/// Why what was analysed is not the layer that an image names; nothing if it is.
pub fn mismatch(analysed: &Result<Analysis, analyze::Failure>, layer: &Layer) -> Option<String> {
    match analysed {
        Ok(analysis) => analysis.verify(&layer.blob).err().map(|error| error.to_string()),
        Err(failure) => Some(failure.describe(&layer.blob)),
    }
}

/// The image sources of this process, by the number that a task names: a file has no place in any registry.
#[derive(Clone, Default)]
pub struct Sources {
    numbered: Arc<Mutex<Numbered>>,
    /// How to open the registries that tasks name.
    registry: Option<Arc<OpenRegistry>>,
}

#[derive(Default)]
struct Numbered {
    next: u64,
    sources: HashMap<String, (Arc<dyn ImageSource>, Arc<Progress>)>,
}

impl Sources {
    /// Sources for tasks that name registries.
    pub fn of_registries(open: Box<OpenRegistry>) -> Self {
        Self { numbered: Arc::default(), registry: Some(open.into()) }
    }

    /// Gives `source` a place for as long as the result lives; `progress` counts what is read from it.
    pub fn enter(&self, source: Arc<dyn ImageSource>, progress: Arc<Progress>) -> Entered {
        let mut numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
        numbered.next += 1;
        let place = Place { registry: String::new(), repository: numbered.next.to_string() };
        numbered.sources.insert(place.repository.clone(), (source, progress));
        Entered { sources: self.clone(), place }
    }

    fn at(&self, place: &Place) -> Option<(Arc<dyn ImageSource>, Arc<Progress>)> {
        if place.registry.is_empty() {
            let numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
            return numbered.sources.get(&place.repository).cloned();
        }
        let Place { registry: host, repository } = place.clone();
        let reference = RegistryReference { host, repository, tag: None, digest: None, short: false };
        let source = self.registry.as_ref()?(&reference).ok()?;
        Some((source.into(), Arc::default()))
    }
}

/// A source that tasks can name.
pub struct Entered {
    sources: Sources,
    /// What tasks call it.
    pub place: Place,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.sources.numbered.lock().unwrap_or_else(PoisonError::into_inner).sources.remove(&self.place.repository);
    }
}

/// Works on the planner's tasks in this process: as many at a time as the rayon pool has threads, and on these. Ends when the
/// result is dropped.
pub fn start(planner: &Arc<Planner>, sources: &Sources) -> JoinSet<()> {
    let mut slots = JoinSet::new();
    for class in Class::ALL {
        for _ in 0..rayon::current_num_threads() {
            slots.spawn(serve(Arc::clone(planner), sources.clone(), class));
        }
    }
    slots
}

async fn serve(planner: Arc<Planner>, sources: Sources, class: Class) {
    let Ok(mut deliveries) = planner.doors().queue.consume(class).await else { return };
    while let Ok(Delivery { message: task, receipt, .. }) = deliveries.next().await {
        let id = task.id;
        let claim = key::claim(&task);
        let outcome = perform(&planner, &sources, task).await;
        planner.hand_over(id, outcome);
        planner.doors().cache.release(&[claim]).await;
        receipt.ack().await;
    }
}

/// The record of one layer, analysed and kept.
async fn perform(planner: &Planner, sources: &Sources, task: Task) -> Result<Arc<LayerRecord>, Failure> {
    let failed = |reason: String| Failure { kind: FailureKind::Source(task.places.clone()), reason: reason.into() };
    let Some((source, progress)) = task.places.iter().find_map(|place| sources.at(place)) else {
        return Err(failed("the image is gone".into()));
    };
    let (sender, analysed) = oneshot::channel();
    let (blob, searching) = (task.blob.clone(), planner.searching().clone());
    rayon::spawn(move || {
        // Whoever waited has gone: then the result is not needed either.
        let _ = sender.send(analyse(source.as_ref(), &blob, &searching, &progress));
        progress.layers_done.fetch_add(1, Ordering::Relaxed);
    });
    let (inventory, cpu_micros) = match analysed.await {
        Ok(Ok(analysed)) => analysed,
        Ok(Err(reason)) => return Err(failed(reason)),
        Err(_) => return Err(failed("the analysis crashed: this is a bug of lazaret".into())),
    };
    let cost = Cost { job: task.job, bytes: task.blob.size, requests: 0, cpu_micros };
    let record = LayerRecord { inventory, cost };
    // Only what was read to its end has been verified.
    if record.inventory.diff_id.is_some() {
        let key = key::layer(&task.blob.digest, &task.set);
        match wire::seal(Kind::LayerRecord, &key, &record) {
            Ok(sealed) => {
                if let Err(error) = planner.doors().store.put(&key, sealed).await {
                    tracing::warn!("cannot write to the store: {error}");
                }
            }
            Err(error) => tracing::warn!("cannot keep the inventory of layer {}: {error}", task.blob.digest),
        }
    }
    Ok(Arc::new(record))
}

fn analyse(
    source: &dyn ImageSource,
    named: &Descriptor,
    searching: &Searching,
    progress: &Progress,
) -> Result<(LayerInventory, u64), String> {
    let start = lazaret_worker::clock::thread_cpu_micros();
    let blob = source.open_blob(named).map_err(|error| error.to_string())?;
    let blob = Counted { inner: blob, read: &progress.bytes_done };
    let mut inventory =
        analyze::analyze(blob, named, &Limits::default(), searching.rules).map_err(|error| error.to_string())?;
    inventory.seal(searching.key());
    Ok((inventory, lazaret_worker::clock::thread_cpu_micros() - start))
}

struct Counted<'a, R> {
    inner: R,
    read: &'a AtomicU64,
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.read.fetch_add(amount as u64, Ordering::Relaxed);
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
