//! One reference: found, resolved, and every image behind it inventoried.

use std::sync::Arc;

use lazaret::door::source::{self, PlatformChoice};
use lazaret::door::store::Store;
use lazaret::image::Image;

use super::super::progress::Shown;
use super::source::Sources;
use crate::pipeline::{self, Inventoried, Progress};

/// The images behind a reference with what is in them.
pub(super) fn scan(
    reference: &str,
    choice: &PlatformChoice,
    sources: &Sources,
    store: &dyn Store,
) -> Result<Vec<(Image, Inventoried)>, String> {
    let parsed = source::reference(reference).map_err(|error| error.to_string())?;
    let progress = Arc::new(Progress::default());
    let _shown = Shown::start(reference, Arc::clone(&progress));
    let opened = source::open(&parsed, sources.options()).map_err(|error| error.to_string())?;
    pipeline::scan(opened, choice, store, &progress).map_err(|error| error.to_string())
}
