//! The pipeline with embedded doors, for tests that want what a scan has before it reports.

use std::sync::Arc;

use lazaret::door::source::registry::{Registry, RegistryOptions};
use lazaret::door::source::{Endpoint, PlatformChoice, SourceOptions};
use lazaret::door::store::SharedStore;
use lazaret::image::Image;
use lazaret_coordinator::engine::Engine;
use lazaret_coordinator::local::Searching;
use lazaret_coordinator::pipeline::{Inventoried, Progress};

/// The images behind `reference`, with what is in them and how far the scan came.
pub fn scan(
    reference: &str,
    choice: PlatformChoice,
    store: SharedStore,
    engines: Vec<Endpoint>,
) -> (Vec<(Image, Inventoried)>, Arc<Progress>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let registry = Some(Registry::new(RegistryOptions::default()).opener(handle.clone()));
    let options = SourceOptions { runtime: handle, engines, registry };
    let progress = Arc::new(Progress::default());
    let mut scanned = {
        let _context = runtime.enter();
        Engine::embedded(store, Searching::default(), options, choice, Arc::clone(&progress))
            .scan(vec![reference.to_owned()])
    };
    let (_, images) = scanned.blocking_recv().unwrap();
    (images.unwrap(), progress)
}
