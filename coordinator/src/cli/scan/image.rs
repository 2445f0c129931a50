//! One reference: found, resolved, and every image behind it inventoried.

use std::sync::Arc;

use lazaret::door::source::{self, ImageSource, Opened, PlatformChoice, SourceError, StreamedArchive};
use lazaret::door::store::Store;
use lazaret::image::Image;

use super::super::progress::Shown;
use super::source::Sources;
use crate::local;
use crate::pipeline::{self, Inventoried, Progress};

/// The images behind a reference with what is in them.
pub(super) fn scan(
    reference: &str,
    choice: &PlatformChoice,
    sources: &Sources,
    store: Arc<dyn Store>,
) -> Result<Vec<(Image, Inventoried)>, String> {
    let parsed = source::reference(reference).map_err(|error| error.to_string())?;
    let progress = Arc::new(Progress::default());
    let _shown = Shown::start(reference, Arc::clone(&progress));
    let scanned = match source::open(&parsed, sources.options()) {
        Ok(Opened::Random(source)) => random(source.as_ref(), choice, store.as_ref(), &progress),
        Ok(Opened::Stream(archive)) => streamed(archive, choice, store.as_ref(), &progress),
        Err(error) => Err(error),
    };
    scanned.map_err(|error| error.to_string())
}

fn random(
    source: &dyn ImageSource,
    choice: &PlatformChoice,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Vec<(Image, Inventoried)>, SourceError> {
    let images = source.images(choice)?.into_iter();
    Ok(images
        .map(|image| {
            let inventoried = pipeline::inventory(&image, source, store, progress);
            (image, inventoried)
        })
        .collect())
}

fn streamed(
    archive: StreamedArchive,
    choice: &PlatformChoice,
    store: &dyn Store,
    progress: &Progress,
) -> Result<Vec<(Image, Inventoried)>, SourceError> {
    let streamed = archive.read(choice, &mut |_, entry| local::analyze_unnamed(entry, &progress.bytes_done))?;
    let analyses = streamed.layers;
    let inventoried = streamed.images.into_iter().map(|image| {
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| match analyses.get(&layer.blob.digest) {
                Some(Ok(Ok(analysis))) => {
                    analysis.verify(layer).map(|()| analysis.inventory.clone()).map_err(|error| error.to_string())
                }
                Some(Ok(Err(failure))) => Err(failure.describe(layer)),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("the archive does not have it".to_owned()),
            })
            .collect();
        let inventoried = pipeline::inventory_of_streamed(&image, &layers, store);
        (image, inventoried)
    });
    Ok(inventoried.collect())
}
