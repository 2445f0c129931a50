//! The answer of a child, read as it comes, with a deadline and a cap.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::poll::PollFlags;

use super::run::ready;
use crate::child::message::Answer;

/// The most bytes that are read of one answer.
const MOST_BYTES: u64 = 256 << 20;
const BUFFER: usize = 64 << 10;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The deadline passed.
    Late,
    /// It ended, or it is none; how the child ended may tell.
    Unreadable,
}

struct Pipe {
    file: File,
    deadline: Instant,
    late: bool,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !ready(self.file.as_fd(), PollFlags::POLLIN, self.deadline)? {
            self.late = true;
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.read(buffer)
    }
}

/// Reads the answer; nothing may come after it.
pub(super) fn read(from: OwnedFd, deadline: Instant) -> Result<Answer, NoAnswer> {
    let pipe = Pipe { file: File::from(from), deadline, late: false };
    let mut reader = BufReader::with_capacity(BUFFER, pipe.take(MOST_BYTES));
    let answer = Answer::read(&mut reader).ok().filter(|_| matches!(reader.read(&mut [0]), Ok(0)));
    answer.ok_or(if reader.get_ref().get_ref().late { NoAnswer::Late } else { NoAnswer::Unreadable })
}
