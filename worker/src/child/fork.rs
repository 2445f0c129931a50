//! `fork`, which is sound for a process of a single thread: the child then finds no lock held by a thread that it lacks.

#![allow(
    unsafe_code,
    reason = "fork is a hazard only among threads; a `SingleThread` is the proof that there were none, and the zygote \
              starts none"
)]

use std::{fs, io};

use nix::unistd::{self, ForkResult};

/// Proof that this process has one thread.
pub(super) struct SingleThread(());

impl SingleThread {
    /// Looks.
    pub(super) fn prove() -> io::Result<Self> {
        match fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(())),
            threads => Err(io::Error::other(format!("{threads} threads where there should be one"))),
        }
    }
}

/// Makes a child that goes on from here.
pub(super) fn fork(_: &SingleThread) -> nix::Result<ForkResult> {
    // SAFETY: there is no other thread, so the child may do whatever this process may.
    unsafe { unistd::fork() }
}
