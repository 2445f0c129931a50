//! The image that is measured on: `LAZARET_BENCH_IMAGE`, or debian-bookworm of the corpus.

use std::io::Read;

use lazaret::door::source::{ImageSource, OciLayout, PlatformChoice};
use lazaret::image::Layer;
use lazaret::reference::Reference;

/// Its layers with their blobs; nothing where neither is set.
pub fn layers() -> Option<Vec<(Layer, Vec<u8>)>> {
    let reference = std::env::var("LAZARET_BENCH_IMAGE").ok().or_else(|| {
        let corpus = std::env::var("LAZARET_CORPUS").ok()?;
        Some(format!("oci:{corpus}/images:debian-bookworm"))
    })?;
    let Reference::OciLayout(path, tag) = reference.parse().expect("a reference") else {
        panic!("oci:PATH:TAG, please")
    };
    let layout = OciLayout::open(&path, tag.as_deref()).expect("a layout");
    let image = layout.images(&PlatformChoice::Host).expect("an image").remove(0);
    let blob = |layer: &Layer| {
        let mut bytes = Vec::new();
        layout.open_blob(&layer.blob).expect("a blob").read_to_end(&mut bytes).expect("readable");
        bytes
    };
    Some(image.layers.iter().map(|layer| (layer.clone(), blob(layer))).collect())
}
