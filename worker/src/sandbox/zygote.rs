//! The zygote as the worker holds it: a process and a socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::run::ready;
use crate::child::message::{self, Landlock, Ready};
use crate::child::{WITHOUT_LANDLOCK, ZYGOTE};

/// How long the start of a program may take on a machine that is busy.
const START: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Zygote {
    process: Mutex<Child>,
    id: u32,
    socket: OwnedFd,
    pub(super) landlock: Landlock,
}

impl Zygote {
    /// Starts this executable once more, to be one.
    pub(super) fn start(landlock: bool) -> io::Result<Self> {
        let (socket, its) = message::pair()?;
        let process = Command::new("/proc/self/exe")
            .arg(ZYGOTE)
            .args((!landlock).then_some(WITHOUT_LANDLOCK))
            .env_clear()
            .stdin(Stdio::from(its))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let id = process.id();
        let mut zygote = Self { process: Mutex::new(process), id, socket, landlock: Landlock::None };
        if !ready(zygote.socket.as_fd(), PollFlags::POLLIN, Instant::now() + START)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the zygote says nothing"));
        }
        match message::receive::<Ready>(zygote.socket.as_fd())? {
            Some((Ready { landlock }, _)) => zygote.landlock = landlock,
            None => return Err(io::Error::other("the zygote ended at once")),
        }
        Ok(zygote)
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(super) fn is_alive(&self) -> bool {
        matches!(self.process.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Ends it, and with it whatever children it has.
    pub(super) fn kill(&self) {
        let _ = self.process.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        self.kill();
        let _ = self.process.get_mut().unwrap_or_else(PoisonError::into_inner).wait();
    }
}
