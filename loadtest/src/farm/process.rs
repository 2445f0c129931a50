//! One of our own processes: started, watched, killed, frozen.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::usage::{self, Usage};
use super::{FarmError, guard};

/// A process of ours, killed when this is dropped.
pub struct Process {
    command: Command,
    child: Child,
    /// CPU time of earlier lives, as far as it was seen.
    spent: Duration,
    log: PathBuf,
    /// The guard's list.
    watched: PathBuf,
}

impl Process {
    /// Starts `program`; what it says is added to `log`, and its id to the guard's list.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        log: &Path,
        watched: &Path,
    ) -> Result<Self, FarmError> {
        let about = |error| FarmError::Process(program.display().to_string(), error);
        let said = File::options().append(true).create(true).open(log).map_err(about)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
        command.stdin(Stdio::null()).stdout(said.try_clone().map_err(about)?).stderr(said);
        // Whoever runs the load test may have telemetry or doors of their own in the environment.
        for name in ["LAZARET_TOKENS", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER"] {
            command.env_remove(name);
        }
        if environment.iter().any(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove("AWS_PROFILE");
        }
        let child = command.spawn().map_err(about)?;
        guard::watch(watched, child.id())?;
        Ok(Self { command, child, spent: Duration::ZERO, log: log.to_owned(), watched: watched.to_owned() })
    }

    /// What it used in all its lives, and uses now.
    pub fn usage(&self) -> Usage {
        let mut usage = usage::of(self.child.id());
        usage.cpu += self.spent;
        usage
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Where its log is.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        self.spent = self.usage().cpu;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again as it was started.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart(&mut self) -> Result<(), FarmError> {
        self.kill9();
        let program = self.command.get_program().to_string_lossy().into_owned();
        self.child = self.command.spawn().map_err(|error| FarmError::Process(program, error))?;
        guard::watch(&self.watched, self.child.id())?;
        Ok(())
    }

    /// Stops it without ending it, as a lost machine does.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Asks it to end, and waits; whether it did within `patience`.
    pub fn end(&mut self, patience: Duration) -> bool {
        self.signal(Signal::SIGTERM);
        let start = Instant::now();
        while start.elapsed() < patience {
            if self.has_ended() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn signal(&self, signal: Signal) {
        // One that has ended cannot be told anything.
        let _ = i32::try_from(self.child.id()).map(|pid| kill(Pid::from_raw(pid), signal));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
