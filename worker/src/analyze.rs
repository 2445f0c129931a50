//! One layer, from the bytes of its blob to its inventory.

use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

use lazaret::digest::Digest;
use lazaret::image::Descriptor;
use lazaret::inventory::{Gap, GapKind, LayerInventory};
use lazaret::path::LayerPath;

use crate::decompress::{Breach, Totals, Unpacked};
use crate::extract::{EXTRACTORS, Extractor};
use crate::limits::Limits;
use crate::malware::Engine;
use crate::tar::TarError;
use crate::walk;

/// The version of everything between the blob and the extractors: unpacking, walking, what is remembered. Part of the
/// fingerprint; raised with every change of what an inventory holds.
pub const VERSION: &str = "6";

/// Why a layer failed: nothing in it can be trusted, and nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The blob could not be read, or not to its end.
    #[error("cannot read the layer: {0}")]
    Read(#[source] io::Error),
    /// The blob does not inflate.
    #[error("cannot unpack the layer: {0}")]
    Unpack(#[source] io::Error),
    /// What it unpacks to is no tar archive.
    #[error("the layer is no valid tar archive: {0}")]
    Tar(#[source] TarError),
    /// The blob is not what the manifest names.
    #[error("the layer's bytes have the digest {found}, not {expected}: the copy is corrupt or has been tampered with")]
    Digest {
        /// What the manifest says.
        expected: Digest,
        /// What the bytes say.
        found: Digest,
    },
    /// The blob has another size than the manifest says.
    #[error("the layer has {found} bytes, not the {expected} that the manifest says")]
    Size {
        /// What the manifest says.
        expected: u64,
        /// What came.
        found: u64,
    },
}

impl LayerError {
    /// The error of an analysis whose blob failed to be read with `error`.
    pub(crate) fn of_read(error: io::Error) -> Self {
        read_error(error)
    }
}

/// An inventory with what its blob turned out to be.
#[derive(Debug)]
pub struct Analysis {
    /// What the layer contains.
    pub inventory: LayerInventory,
    /// What the blob was.
    pub totals: Totals,
}

impl Analysis {
    /// Checks that the blob is the one that `named` names. What it unpacks to is for whoever knows an image to compare.
    ///
    /// # Errors
    /// [`LayerError::Size`] or [`LayerError::Digest`].
    pub fn verify(&self, named: &Descriptor) -> Result<(), LayerError> {
        let found = (self.totals.blob, self.totals.compressed_bytes);
        match self.totals.breach {
            // It was not read to its end.
            Some(Breach::Compressed) => Ok(()),
            _ if found == (named.digest, named.size) => Ok(()),
            _ => Err(mismatch(found, named)),
        }
    }
}

/// Analyses the layer in `blob` and checks that it is the one that `named` names.
///
/// # Errors
/// Any [`LayerError`]; the layer has failed.
pub fn analyze(blob: impl BufRead, named: &Descriptor, limits: &Limits) -> Result<LayerInventory, LayerError> {
    let analysis = analyze_unnamed(blob, limits).map_err(|failure| failure.named(named))?;
    analysis.verify(named)?;
    Ok(analysis.inventory)
}

/// Analyses a layer of which it is not known yet which one it is, as in an archive whose manifest comes last.
///
/// # Errors
/// The blob does not read, unpack or walk.
pub fn analyze_unnamed(blob: impl BufRead, limits: &Limits) -> Result<Analysis, Failure> {
    analyze_reading(EXTRACTORS, blob, limits)
}

/// As [`analyze_unnamed`], with some of the [`EXTRACTORS`]: what the others claim is recognised, and each such file is a gap.
///
/// # Errors
/// The blob does not read, unpack or walk.
pub fn analyze_reading(extractors: &[&Extractor], blob: impl BufRead, limits: &Limits) -> Result<Analysis, Failure> {
    analyze_looking(extractors, Engine::built_in(), blob, limits)
}

/// As [`analyze_reading`], and looks for malware with `engine`.
///
/// # Errors
/// The blob does not read, unpack or walk.
pub fn analyze_looking(
    extractors: &[&Extractor],
    engine: &Arc<Engine>,
    blob: impl BufRead,
    limits: &Limits,
) -> Result<Analysis, Failure> {
    let unpacked = Unpacked::new(blob, *limits).map_err(|e| Failure { error: read_error(e), blob: None })?;
    let (mut inventory, unpacked) = match walk::walk(unpacked, limits, extractors, engine) {
        Ok(walked) => walked,
        Err((error, unpacked)) => return Err(Failure { error: tar_error(error), blob: unpacked.blob_digest().ok() }),
    };
    let totals = unpacked.finish().map_err(|e| Failure { error: read_error(e), blob: None })?;
    inventory.diff_id = totals.diff_id;
    inventory.compressed_bytes = totals.compressed_bytes;
    inventory.uncompressed_bytes = totals.uncompressed_bytes;
    if let Some(breach) = totals.breach {
        let reason = match breach {
            Breach::Compressed => format!("more than {} compressed bytes", limits.compressed_bytes),
            Breach::Uncompressed => format!("more than {} uncompressed bytes", limits.uncompressed_bytes),
            Breach::Ratio => format!("unpacks to more than {} times its size", limits.ratio),
        };
        let reason = format!("{reason}; the rest was not read");
        inventory.gaps.push(Gap { kind: GapKind::Limit, path: LayerPath::root(), reason });
        inventory.gaps.sort_unstable();
    }
    Ok(Analysis { inventory, totals })
}

/// A failed analysis, with the digest of the blob where it could still be read to its end.
#[derive(Debug)]
pub struct Failure {
    pub(crate) error: LayerError,
    pub(crate) blob: Option<(Digest, u64)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Failure {
    /// The error, given which layer it should have been: a blob that is not the named one says more than the place where
    /// reading it went wrong.
    pub fn named(self, named: &Descriptor) -> LayerError {
        match self.blob {
            Some(found) if found != (named.digest, named.size) => mismatch(found, named),
            _ => self.error,
        }
    }

    /// The same in words, where the failure is still needed for other images.
    pub fn describe(&self, named: &Descriptor) -> String {
        match self.blob {
            Some(found) if found != (named.digest, named.size) => mismatch(found, named).to_string(),
            _ => self.error.to_string(),
        }
    }
}

pub(crate) fn mismatch((digest, size): (Digest, u64), named: &Descriptor) -> LayerError {
    if size != named.size {
        LayerError::Size { expected: named.size, found: size }
    } else {
        LayerError::Digest { expected: named.digest, found: digest }
    }
}

/// Inflaters report malformed data, sources their own trouble, both as [`io::Error`]; the kind tells them apart.
fn read_error(error: io::Error) -> LayerError {
    match error.kind() {
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Unsupported
        | io::ErrorKind::Other => LayerError::Unpack(error),
        _ => LayerError::Read(error),
    }
}

fn tar_error(error: TarError) -> LayerError {
    match error {
        TarError::Read(error) => read_error(error),
        error => LayerError::Tar(error),
    }
}
