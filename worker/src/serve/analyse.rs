//! What analyses a layer: in this process, or in a child that can do nothing else. The one place where they meet.

use std::io::BufRead;
use std::sync::{Arc, Mutex, PoisonError};

use lazaret::door::source::SourceError;
use lazaret::image::Descriptor;
use lazaret::rules::RulesObject;

use crate::analyze::{LayerError, analyze};
use crate::clock::thread_cpu_micros;
use crate::limits::Limits;
use crate::ruleset::{Ruleset, SearchSettings};
pub use crate::sandbox::{Analysed, Failed};
use crate::sandbox::{Level, Options, Sandbox, SandboxError};
use crate::tar::TarError;

/// Analyses layers. It blocks, and several threads call it at once.
pub trait Analyse: Send + Sync {
    /// Analyses the layer in `blob`, which has to be the one that `named` names, with these rules beside the built-in ones.
    ///
    /// # Errors
    /// [`Failed`].
    fn analyse(
        &self,
        blob: &mut dyn BufRead,
        named: &Descriptor,
        added: Option<&RulesObject>,
    ) -> Result<Analysed, Failed>;

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
pub struct Confined {
    options: Options,
    /// One for each set of rules, the last used one at the end.
    sandboxes: Mutex<Vec<Arc<Sandbox>>>,
    level: Level,
    protection: String,
}

/// Sets of rules that are ready at a time: the old and the new one, while jobs go over from one to the other.
const READY: usize = 2;

impl Confined {
    /// In children of sandboxes with these options, of which the rules are those of each task.
    ///
    /// # Errors
    /// See [`Sandbox::start`].
    pub fn start(options: Options) -> Result<Self, SandboxError> {
        let sandbox = Sandbox::start(options.clone())?;
        let (level, protection) = (sandbox.protection().level, sandbox.protection().to_string());
        Ok(Self { options, sandboxes: Mutex::new(vec![Arc::new(sandbox)]), level, protection })
    }

    /// The sandbox with these rules. Whoever wants the same at the same time waits.
    fn with(&self, added: Option<&RulesObject>) -> Result<Arc<Sandbox>, SandboxError> {
        let mut sandboxes = self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = added.map(RulesObject::digest);
        let sandbox = match sandboxes.iter().position(|sandbox| sandbox.rules() == wanted) {
            Some(at) => sandboxes.remove(at),
            None => {
                let settings = SearchSettings { added: added.cloned(), key: self.options.settings.key.clone() };
                Arc::new(Sandbox::start(Options { settings, ..self.options.clone() })?)
            }
        };
        sandboxes.push(Arc::clone(&sandbox));
        if sandboxes.len() > READY {
            sandboxes.remove(0);
        }
        Ok(sandbox)
    }
}

impl Analyse for Confined {
    fn analyse(
        &self,
        blob: &mut dyn BufRead,
        named: &Descriptor,
        added: Option<&RulesObject>,
    ) -> Result<Analysed, Failed> {
        let before = thread_cpu_micros();
        let sandbox = self.with(added).map_err(|error| Failed::Sandbox(error.to_string()))?;
        let Analysed { inventory, cpu_micros } = sandbox.analyse(blob, named)?;
        let own = thread_cpu_micros().saturating_sub(before);
        Ok(Analysed { inventory, cpu_micros: cpu_micros.saturating_add(own) })
    }

    fn level(&self) -> Level {
        self.level
    }

    fn protection(&self) -> &str {
        &self.protection
    }
}

/// Analyses in this process: for tests, and for machines where nobody hostile makes images.
#[derive(Clone, Default)]
pub struct InProcess;

impl Analyse for InProcess {
    fn analyse(
        &self,
        blob: &mut dyn BufRead,
        named: &Descriptor,
        added: Option<&RulesObject>,
    ) -> Result<Analysed, Failed> {
        let before = thread_cpu_micros();
        let rules = Ruleset::with(added).map_err(|error| Failed::Sandbox(error.to_string()))?;
        let mut inventory = analyze(blob, named, &Limits::default(), rules).map_err(failed)?;
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
