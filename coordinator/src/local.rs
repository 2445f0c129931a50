//! The worker, in this process. The only file of the coordinator that names it.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use lazaret::fingerprint::Fingerprint;
use lazaret::image::Layer;
use lazaret::inventory::LayerInventory;
use lazaret_worker::analyze;
pub use lazaret_worker::analyze::{Analysis, Failure, LayerError};
use lazaret_worker::executable;
use lazaret_worker::extract::EXTRACTORS;
use lazaret_worker::limits::Limits;

/// Analyses the layer in `blob` and checks that it is the one that `layer` names; counts the blob's bytes as they are read.
///
/// # Errors
/// The layer has failed.
pub fn analyze(blob: impl BufRead, layer: &Layer, read: &AtomicU64) -> Result<LayerInventory, LayerError> {
    analyze::analyze(Counted { inner: blob, read }, layer, &Limits::default())
}

/// Analyses a layer of an archive before it is known which one it is.
///
/// # Errors
/// The blob does not read, unpack or walk.
pub fn analyze_unnamed(blob: impl BufRead, read: &AtomicU64) -> Result<Analysis, Failure> {
    analyze::analyze_unnamed(Counted { inner: blob, read }, &Limits::default())
}

/// What inventories depend on in this build: extractors, limits and wire form.
pub fn fingerprint() -> Fingerprint {
    let versions: Vec<_> = EXTRACTORS.iter().map(|extractor| (extractor.name, extractor.version.to_string())).collect();
    let executables = executable::VERSION.to_string();
    let wire = lazaret::wire::Kind::LayerInventory.version().to_string();
    let limits = Limits::default().describe();
    let fixed = [
        ("facet", "packages"),
        ("wire", wire.as_str()),
        ("walk", analyze::VERSION),
        ("limits", limits.as_str()),
        (executable::NAME, executables.as_str()),
    ];
    Fingerprint::of(fixed.into_iter().chain(versions.iter().map(|(name, version)| (*name, version.as_str()))))
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
