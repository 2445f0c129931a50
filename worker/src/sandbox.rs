//! The sandbox: hostile bytes of layers are parsed in a child process without network, files or environment.
//!
//! This is the worker's side, and it blocks: call it from a thread for each slot. The worker streams the blob into the
//! child, hashing it on the way, reads the answer as the hostile bytes that it may be, and drops it if the blob was not the
//! one that was named. Nothing that a child does can block, crash or fill the worker, and a child outlives neither its
//! deadline nor the worker. What runs on the other side is in [`crate::child`].

use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lazaret::image::Descriptor;
use lazaret::inventory::LayerInventory;

use crate::analyze::mismatch;
use crate::child::message::{Answer, Bounds, Ended, Landlock, Request, Work};
use crate::limits::Limits;
use crate::ruleset::SearchSettings;

mod answer;
mod failed;
mod feed;
mod level;
mod run;
mod zygote;

pub use failed::{Failed, SandboxError};
pub use level::{Level, Protection};

use feed::Hashing;
use run::Run;
use zygote::Zygote;

/// How a sandbox is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// The least protection that will do.
    pub require: Level,
    /// Limits of what one layer may hold.
    pub limits: Limits,
    /// Rules and key that layers are searched with.
    pub settings: SearchSettings,
    /// Bytes of memory that a child may write to: all of its resident set but the program's own code and the stack.
    pub memory: u64,
    /// Seconds of CPU time that a child may use.
    pub cpu_seconds: u64,
    /// How long a layer may take in all, fetching it included.
    pub deadline: Duration,
    /// Threads of a child whose blob has `threads_from` bytes or more; any other has one.
    pub threads: u16,
    /// See `threads`.
    pub threads_from: u64,
    /// For tests: what to do without, as if the kernel had it not.
    #[doc(hidden)]
    pub without: Without,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            require: Level::None,
            limits: Limits::default(),
            settings: SearchSettings::default(),
            memory: 480 << 20,
            cpu_seconds: 300,
            deadline: Duration::from_secs(600),
            threads: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8) as u16),
            threads_from: 64 << 20,
            without: Without::default(),
        }
    }
}

/// What a simulated kernel lacks.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Without {
    /// It has no landlock.
    pub landlock: bool,
    /// It has no seccomp.
    pub seccomp: bool,
}

/// An inventory, and what it cost.
#[derive(Debug)]
pub struct Analysed {
    /// What the layer contains; the blob was the one that was named.
    pub inventory: LayerInventory,
    /// CPU time of the child, user and system, in microseconds.
    pub cpu_micros: u64,
}

/// A zygote and what it takes to start another one. Shared by all slots.
#[derive(Debug)]
pub struct Sandbox {
    options: Options,
    protection: Protection,
    zygote: Mutex<Option<Arc<Zygote>>>,
}

impl Sandbox {
    /// Starts the zygote and finds out, by trying, what a child of it is kept from. The executable has to call
    /// [`crate::child::run_if_asked`] before anything else.
    ///
    /// # Errors
    /// It does not start, or protects less than `options.require`.
    pub fn start(options: Options) -> Result<Self, SandboxError> {
        let zygote =
            Zygote::start(!options.without.landlock, options.settings.added.as_ref()).map_err(SandboxError::Start)?;
        let landlock = zygote.landlock;
        let mut sandbox = Self {
            options,
            // Until it is known better, everything is asked for.
            protection: Protection { level: Level::None, missing: Vec::new(), seccomp: true },
            zygote: Mutex::new(Some(Arc::new(zygote))),
        };
        sandbox.protection = sandbox.try_out(landlock)?;
        let Protection { level, .. } = sandbox.protection;
        if level < sandbox.options.require {
            return Err(SandboxError::Weak { protection: sandbox.protection, required: sandbox.options.require });
        }
        Ok(sandbox)
    }

    /// The digest of the rules that are added.
    pub fn rules(&self) -> Option<&str> {
        self.options.settings.rules()
    }

    /// How much this kernel protects.
    pub fn protection(&self) -> &Protection {
        &self.protection
    }

    /// Analyses the layer in `blob`, which should be the one that `named` names, in a child. Blocks for as long as reading
    /// the blob does, and else no longer than the deadline.
    ///
    /// # Errors
    /// The layer has failed, or could not be tried: see [`Failed`].
    pub fn analyse(&self, blob: &mut dyn BufRead, named: &Descriptor) -> Result<Analysed, Failed> {
        let threads = if named.size >= self.options.threads_from { self.options.threads.max(1) } else { 1 };
        let limits = self.options.limits;
        let mut run = self.run(Work::Analyse(limits), threads)?;
        // All of it, even past what the child reads: what is kept under its digest has to have it.
        let mut blob = Hashing::new(blob);
        run.feed(&mut blob)?;
        let answer = run.answer();
        if let Ok(Answer::Failed { words, blob_was_read: false }) = answer {
            return Err(Failed::Layer(words));
        }
        // That it is another blob than the named one says more than anything that went wrong with it.
        run.read_rest(&mut blob)?;
        let (digest, size) = blob.finish();
        let other = (digest, size) != (named.digest, named.size);
        let layer = |words: String| Err(Failed::Layer(words));
        match answer {
            _ if other => layer(mismatch((digest, size), named).to_string()),
            Ok(Answer::Inventory(mut inventory)) => {
                inventory.seal(self.options.settings.key.as_ref());
                // Only this side's count tells; past the limit the child's, which stopped there.
                if size <= limits.compressed_bytes {
                    inventory.compressed_bytes = size;
                }
                let Ended { cpu_micros, .. } = run.end()?;
                Ok(Analysed { inventory: *inventory, cpu_micros })
            }
            Ok(Answer::Failed { words, .. }) => layer(words),
            Ok(Answer::Probed(_)) => Err(Failed::Resources(failed::NO_ANSWER.to_owned())),
            Err(no_answer) => Err(run.explain(no_answer)),
        }
    }

    /// Has a child do what the executable registered as `name`.
    #[doc(hidden)]
    pub fn probe(&self, name: &str, blob: &mut dyn BufRead) -> Result<Vec<String>, Failed> {
        self.probed(Work::Probe(name.to_owned()), blob)
    }

    /// The process that children are forked from, for tests that end it.
    #[doc(hidden)]
    pub fn zygote_id(&self) -> Option<u32> {
        self.zygote.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|zygote| zygote.id())
    }

    fn probed(&self, work: Work, blob: &mut dyn BufRead) -> Result<Vec<String>, Failed> {
        let mut run = self.run(work, 1)?;
        run.feed(&mut Hashing::new(blob))?;
        match run.answer() {
            Ok(Answer::Probed(found)) => run.end().map(|_| found),
            Ok(_) => Err(Failed::Resources(failed::NO_ANSWER.to_owned())),
            Err(no_answer) => Err(run.explain(no_answer)),
        }
    }

    fn try_out(&mut self, landlock: Landlock) -> Result<Protection, SandboxError> {
        let mut missing = level::missing_of(landlock);
        let mut seccomp = !self.options.without.seccomp;
        self.protection.seccomp = seccomp;
        match self.probed(Work::Level, &mut io::empty()) {
            Ok(found) => {
                seccomp &= !found.iter().any(|what| what == level::SECCOMP);
                missing.extend(found);
            }
            Err(Failed::Resources(_)) => missing.push(level::PROGRAMS.to_owned()),
            Err(failed) => return Err(SandboxError::Start(io::Error::other(failed.to_string()))),
        }
        Ok(Protection::new(landlock, seccomp, missing))
    }

    /// A child that has started; over a zygote that has died meanwhile, a new one is started.
    fn run(&self, work: Work, threads: u16) -> Result<Run, Failed> {
        let Options { memory, cpu_seconds, deadline, .. } = self.options;
        let bounds = Bounds { memory, cpu_seconds };
        let request = Request { work, bounds, threads, seccomp: self.protection.seccomp };
        let mut trouble = None;
        for _ in 0..2 {
            let zygote = self.living_zygote()?;
            match Run::start(zygote.clone(), &request, deadline) {
                Ok(run) => return Ok(run),
                Err(error) => trouble = Some(error),
            }
            self.forget(&zygote);
        }
        Err(Failed::Sandbox(format!("no child starts: {}", trouble.map(|e| e.to_string()).unwrap_or_default())))
    }

    fn living_zygote(&self) -> Result<Arc<Zygote>, Failed> {
        let mut held = self.zygote.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zygote) = held.as_ref().filter(|zygote| zygote.is_alive()) {
            return Ok(zygote.clone());
        }
        let Options { without, settings, .. } = &self.options;
        let started = Zygote::start(!without.landlock, settings.added.as_ref());
        let zygote = started.map_err(|error| Failed::Sandbox(format!("the zygote does not start: {error}")))?;
        let zygote = Arc::new(zygote);
        *held = Some(zygote.clone());
        Ok(zygote)
    }

    fn forget(&self, dead: &Arc<Zygote>) {
        let mut held = self.zygote.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|zygote| Arc::ptr_eq(zygote, dead)) {
            *held = None;
        }
    }
}
