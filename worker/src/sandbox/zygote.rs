//! The zygote as the worker holds it: a process and a socket.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lazaret::rules::RulesObject;
use nix::poll::PollFlags;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::run::ready;
use crate::child::message::{self, Landlock, Ready, Setup};
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
    /// Starts this executable once more, to be one with these rules beside the built-in ones.
    pub(super) fn start(landlock: bool, added: Option<&RulesObject>) -> io::Result<Self> {
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
        let added = added.map(written).transpose()?;
        let descriptors: Vec<_> = added.iter().map(AsFd::as_fd).collect();
        message::send(zygote.socket.as_fd(), &Setup { rules: added.is_some() }, &descriptors)?;
        if !ready(zygote.socket.as_fd(), PollFlags::POLLIN, Instant::now() + START)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the zygote says nothing"));
        }
        match message::receive::<Ready>(zygote.socket.as_fd())? {
            Some((Ready { refused: Some(reason), .. }, _)) => return Err(io::Error::other(reason)),
            Some((Ready { landlock, .. }, _)) => zygote.landlock = landlock,
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

/// A file without a name that holds the rules.
fn written(added: &RulesObject) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"rules", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(added.json())?;
    file.rewind()?;
    Ok(file)
}
