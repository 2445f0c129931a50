//! Worker processes that end with this one.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::Failure;

/// How long a worker has for ending when told to.
const ENDING: Duration = Duration::from_secs(5);

/// The workers that were started; they end when this is dropped.
#[derive(Default)]
pub(super) struct Workers(Arc<Mutex<Started>>);

#[derive(Default)]
struct Started {
    workers: Vec<Worker>,
    /// Nothing is started any more.
    ended: bool,
}

struct Worker {
    process: Child,
    /// What it writes to standard error.
    log: PathBuf,
}

impl Workers {
    /// Starts one, which writes to `log`.
    pub(super) fn start(&self, command: &mut Command, log: &Path) -> Result<(), Failure> {
        let mut started = self.started();
        if started.ended {
            return Ok(());
        }
        let file = File::create(log).map_err(|error| Failure::new(format_args!("{}: {error}", log.display())))?;
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        let name = Path::new(command.get_program()).display();
        let process = process.map_err(|error| Failure::new(format_args!("cannot start {name}: {error}")))?;
        started.workers.push(Worker { process, log: log.to_owned() });
        Ok(())
    }

    /// Whether all of them work.
    ///
    /// # Errors
    /// One has ended; with the last that it wrote.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for worker in &mut self.started().workers {
            if let Ok(Some(status)) = worker.process.try_wait() {
                let said = last_line(&worker.log);
                return Err(Failure::new(format_args!("a worker has ended ({status}); the last that it said: {said}")));
            }
        }
        Ok(())
    }

    /// Ends them kindly, and whoever takes too long at once.
    pub(super) fn end(&self) {
        let mut started = self.started();
        started.ended = true;
        for worker in &started.workers {
            let pid = Pid::from_raw(worker.process.id().cast_signed());
            // One that has ended by itself is not there to be told.
            let _ = kill(pid, Signal::SIGTERM);
        }
        let start = Instant::now();
        for worker in &mut started.workers {
            while start.elapsed() < ENDING && matches!(worker.process.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(10));
            }
        }
        drop(started);
        end_at_once(&self.0);
    }

    /// What ends them from another thread.
    pub(super) fn ender(&self) -> impl FnOnce() + Send + 'static {
        let started = Arc::clone(&self.0);
        move || end_at_once(&started)
    }

    fn started(&self) -> MutexGuard<'_, Started> {
        lock(&self.0)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        end_at_once(&self.0);
    }
}

fn lock(started: &Mutex<Started>) -> MutexGuard<'_, Started> {
    started.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends them, and waits until they have.
fn end_at_once(started: &Mutex<Started>) {
    let mut started = lock(started);
    started.ended = true;
    for mut worker in started.workers.drain(..) {
        // It may have ended before.
        let _ = worker.process.kill();
        let _ = worker.process.wait();
    }
}

/// The last line of a log, of which only the end is read.
fn last_line(log: &Path) -> String {
    const END: u64 = 4096;
    let read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
        let mut end = Vec::new();
        file.take(END).read_to_end(&mut end)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&end).into_owned())
    };
    let end = read().unwrap_or_default();
    end.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_ends_is_noticed_and_one_that_works_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let workers = Workers::default();
        workers.start(Command::new("sleep").arg("600"), &directory.path().join("sleeps")).unwrap();
        workers.check().unwrap();
        let script = "echo before >&2; echo no broker >&2; exit 2";
        workers.start(Command::new("sh").args(["-c", script]), &directory.path().join("ends")).unwrap();
        let start = Instant::now();
        let said = loop {
            match workers.check() {
                Err(failure) => break failure.to_string(),
                Ok(()) => assert!(start.elapsed() < Duration::from_secs(30)),
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert!(said.contains("exit status: 2") && said.ends_with("no broker"), "{said}");
        workers.end();
        assert!(workers.started().workers.is_empty());
        workers.start(Command::new("sleep").arg("600"), &directory.path().join("late")).unwrap();
        assert!(workers.started().workers.is_empty(), "nothing is started after the end");
    }
}
