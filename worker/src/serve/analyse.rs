//! What analyses a layer: in this process, or in a child that can do nothing else. The one place where they meet.

use std::io::{self, BufRead};

use lazaret::image::Descriptor;
use lazaret::inventory::LayerInventory;
use nix::sys::resource::{Usage, UsageWho, getrusage};

use crate::analyze::{LayerError, analyze};
use crate::limits::Limits;
use crate::tar::TarError;

/// Analyses layers. It blocks, and several threads call it at once.
pub trait Analyse: Send + Sync {
    /// Analyses the layer in `blob`, which has to be the one that `named` names.
    ///
    /// # Errors
    /// [`Failed`].
    fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed>;

    /// How well hostile bytes are shut in, for people: health, metrics, the first line of the log.
    fn level(&self) -> &str;

    /// Whether that is as well as this build can.
    fn is_sealed(&self) -> bool;

    /// Whether the blob is looked at. Where it is not, it is not fetched either.
    fn reads_blobs(&self) -> bool {
        true
    }
}

/// What an analysis yielded.
#[derive(Debug)]
pub struct Analysed {
    /// What the layer contains.
    pub inventory: LayerInventory,
    /// The CPU time that took, in microseconds.
    pub cpu_micros: u64,
}

/// Why an analysis yielded nothing.
#[derive(Debug)]
pub enum Failed {
    /// The layer has failed, in the words of [`LayerError`].
    Layer(String),
    /// It took more time or memory than a layer may, or whoever analysed it crashed.
    Resources(String),
    /// The blob could not be read; its source's error as it came.
    Source(io::Error),
    /// The sandbox is in trouble, whatever the layer.
    Sandbox(String),
}

/// Analyses in this process: for tests, and for machines where nobody hostile makes images.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

impl Analyse for InProcess {
    fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed> {
        let before = thread_micros();
        let inventory = analyze(blob, named, &Limits::default()).map_err(failed)?;
        Ok(Analysed { inventory, cpu_micros: thread_micros().saturating_sub(before) })
    }

    fn level(&self) -> &str {
        "none: in this process"
    }

    fn is_sealed(&self) -> bool {
        false
    }
}

/// CPU time of this thread. What rayon's threads do for it is not in there.
fn thread_micros() -> u64 {
    let micros = |usage: &Usage| {
        [usage.user_time(), usage.system_time()]
            .iter()
            .map(|time| time.tv_sec() as u64 * 1_000_000 + time.tv_usec() as u64)
            .sum()
    };
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| micros(&usage))
}

/// Tells the trouble of the source from that of the layer: whatever the source said is the source's.
fn failed(error: LayerError) -> Failed {
    use lazaret::door::source::SourceError;
    match error {
        LayerError::Read(error) => Failed::Source(error),
        LayerError::Unpack(error) | LayerError::Tar(TarError::Read(error))
            if SourceError::of_read(&error).is_some() =>
        {
            Failed::Source(error)
        }
        error => Failed::Layer(error.to_string()),
    }
}
