//! One reference: found, resolved, and every image behind it inventoried.

use std::sync::Arc;

use lazaret::door::source::{ImageSource, OciLayout, PlatformChoice, SourceError};
use lazaret::door::store::Store;
use lazaret::image::Image;
use lazaret::reference::Reference;

use super::super::progress::Shown;
use super::source::Sources;
use crate::pipeline::{self, Inventoried, Progress};

/// The images behind a reference with what is in them.
pub(super) fn scan(
    reference: &str,
    choice: &PlatformChoice,
    _sources: &Sources,
    store: Arc<dyn Store>,
) -> Result<Vec<(Image, Inventoried)>, String> {
    let parsed: Reference = reference.parse().map_err(|e: lazaret::reference::ReferenceError| e.to_string())?;
    let source: Box<dyn ImageSource> = match parsed {
        Reference::OciLayout(path, tag) => Box::new(OciLayout::open(&path, tag.as_deref()).map_err(|e: SourceError| e.to_string())?),
        _ => return Err("not yet".into()),
    };
    let progress = Arc::new(Progress::default());
    let _shown = Shown::start(reference, Arc::clone(&progress));
    let images = source.images(choice).map_err(|error| error.to_string())?;
    let inventoried = images.into_iter().map(|image| {
        let inventoried = pipeline::inventory(&image, source.as_ref(), store.as_ref(), &progress);
        (image, inventoried)
    });
    Ok(inventoried.collect())
}
