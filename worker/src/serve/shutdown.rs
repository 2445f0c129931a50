//! The wish that the worker stop: once kindly, twice at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// A wish that all who hold it see.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Sender<bool>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Shutdown {
    /// Wishes it.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is wished.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is wished.
    pub async fn asked(&self) {
        // The sender is our own, so it does not go while we wait.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// The signals that stop a worker.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they come here.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
