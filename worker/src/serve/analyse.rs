//! What analyses a layer: in this process, or in a child that can do nothing else. The one place where they meet.

use std::io::BufRead;

use lazaret::door::source::SourceError;
use lazaret::image::Descriptor;

use crate::analyze::{LayerError, analyze};
use crate::clock::thread_cpu_micros;
use crate::limits::Limits;
pub use crate::sandbox::{Analysed, Failed};
use crate::sandbox::{Level, Sandbox};
use crate::tar::TarError;

/// Analyses layers. It blocks, and several threads call it at once.
pub trait Analyse: Send + Sync {
    /// Analyses the layer in `blob`, which has to be the one that `named` names.
    ///
    /// # Errors
    /// [`Failed`].
    fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed>;

    /// How well hostile bytes are shut in.
    fn level(&self) -> Level;

    /// The same with what it lacks, for people: health, the first line of the log.
    fn protection(&self) -> &str;

    /// Whether the blob is looked at. Where it is not, it is not fetched either.
    fn reads_blobs(&self) -> bool {
        true
    }
}

/// Analyses in a child that can do nothing else.
#[derive(Debug)]
pub struct Confined {
    sandbox: Sandbox,
    protection: String,
}

impl Confined {
    /// In children of this sandbox.
    pub fn new(sandbox: Sandbox) -> Self {
        let protection = sandbox.protection().to_string();
        Self { sandbox, protection }
    }
}

impl Analyse for Confined {
    fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed> {
        let before = thread_cpu_micros();
        let Analysed { inventory, cpu_micros } = self.sandbox.analyse(blob, named)?;
        let own = thread_cpu_micros().saturating_sub(before);
        Ok(Analysed { inventory, cpu_micros: cpu_micros.saturating_add(own) })
    }

    fn level(&self) -> Level {
        self.sandbox.protection().level
    }

    fn protection(&self) -> &str {
        &self.protection
    }
}

/// Analyses in this process: for tests, and for machines where nobody hostile makes images.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

impl Analyse for InProcess {
    fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed> {
        let before = thread_cpu_micros();
        let mut inventory = analyze(blob, named, &Limits::default()).map_err(failed)?;
        inventory.seal(None);
        Ok(Analysed { inventory, cpu_micros: thread_cpu_micros().saturating_sub(before) })
    }

    fn level(&self) -> Level {
        Level::None
    }

    fn protection(&self) -> &str {
        "none: in this process"
    }
}

/// Tells the trouble of the source from that of the layer: whatever the source said is the source's.
fn failed(error: LayerError) -> Failed {
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
