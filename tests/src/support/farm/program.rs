//! One process of a farm: started, watched, signalled and ended by its id.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::super::process::run;

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    command: Command,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it says goes to `log`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let said = File::options().append(true).create(true).open(log).expect("a log");
        command.stdin(Stdio::null()).stdout(said.try_clone().expect("a log")).stderr(said);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { command, child, log: log.to_owned() }
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it and starts it again as it was.
    ///
    /// # Panics
    /// It does not start.
    pub fn restart(&mut self) {
        self.kill9();
        self.child = self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()));
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It goes on for longer than `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(start.elapsed() < limit, "{} still runs after {limit:?}", self.log.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has said in all its lives.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Where that is.
    pub fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill9();
    }
}
