//! A temporary directory that no signal leaves behind.

use std::io;
use std::path::Path;
use std::thread;

use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;

/// Makes a directory and has it filled. It goes when it is dropped, or else when the user ends the process: by Ctrl-C, by
/// `kill`, by closing the terminal. Without such a directory nothing needs to be done at a signal, and nothing is.
///
/// # Errors
/// Those of `fill`, and of the system.
pub(super) fn directory(fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<TempDir, Failure> {
    directory_and(fill, || {})
}

/// The same, where `last` has to be done before the directory goes at a signal: ending those who write to it.
///
/// # Errors
/// As for [`directory`].
pub(super) fn directory_and(
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
    last: impl FnOnce() + Send + 'static,
) -> Result<TempDir, Failure> {
    let failed = |error: io::Error| Failure::new(format_args!("cannot make a temporary directory: {error}"));
    let runtime = Builder::new_current_thread().enable_io().build().map_err(failed)?;
    // Listened for before there is a directory: no moment is left in which a signal would find nobody who knows of it.
    let listen = |kind| {
        let _context = runtime.enter();
        signal(kind).map_err(failed)
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    let directory = tempfile::tempdir().map_err(failed)?;
    fill(directory.path())?;
    // Only now is a signal acted upon: whoever fills a directory while another removes it would make it anew.
    let path = directory.path().to_owned();
    let wait = move || {
        let kind = runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
                _ = hang_up.recv() => SignalKind::hangup(),
            }
        });
        last();
        // It may be gone already; and nobody is left who could be told of anything else.
        let _ = std::fs::remove_dir_all(&path);
        #[allow(clippy::exit, reason = "the user asked for the end of the process")]
        std::process::exit(128 + kind.as_raw_value());
    };
    thread::Builder::new().name("signals".into()).spawn(wait).map_err(failed)?;
    Ok(directory)
}
