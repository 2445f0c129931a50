//! One child from the worker's side: feed it, hear its answer, learn how it ended. Dropping it ends the child.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::pipe2;

use super::answer::{self, NoAnswer};
use super::failed::{Failed, NO_ANSWER};
use super::feed::Hashing;
use super::zygote::Zygote;
use crate::child::message::{self, Answer, End, Ended, Event, Request};
use crate::child::work::{PANICKED, UNCONFINED};

/// As much as any user may have; less where all pipes together already have a lot.
const PIPE: i32 = 1 << 20;
/// Of what a child says on its standard error, this much is looked at.
const LAST_WORDS: u64 = 4096;
/// How long a child that was told to end, or has answered, may take to do so.
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Run {
    zygote: Arc<Zygote>,
    /// Its closing ends the child.
    events: OwnedFd,
    blob: Option<File>,
    answer: Option<OwnedFd>,
    last_words: File,
    started: Instant,
    deadline: Instant,
    cpu_seconds: u64,
}

impl Run {
    /// Has the zygote fork a child. An error is the zygote's, and nothing has been read yet.
    pub(super) fn start(zygote: Arc<Zygote>, request: &Request, within: Duration) -> io::Result<Self> {
        let started = Instant::now();
        let (its_blob, blob) = pipe2(OFlag::O_CLOEXEC)?;
        let (answer, its_answer) = pipe2(OFlag::O_CLOEXEC)?;
        let (last_words, its_last_words) = pipe2(OFlag::O_CLOEXEC)?;
        let (events, its_events) = message::pair()?;
        // Neither end of the last words waits for the other: what does not fit is lost.
        for end in [&blob, &answer, &last_words, &its_last_words] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let _ = fcntl(&blob, FcntlArg::F_SETPIPE_SZ(PIPE));
        let its = [its_blob.as_fd(), its_answer.as_fd(), its_last_words.as_fd(), its_events.as_fd()];
        message::send(zygote.socket(), request, &its)?;
        // Those of the child are the child's alone, or their ends would never be seen.
        drop((its_blob, its_answer, its_last_words, its_events));
        let run = Self {
            zygote,
            events,
            blob: Some(File::from(blob)),
            answer: Some(answer),
            last_words: File::from(last_words),
            started,
            deadline: started + within,
            cpu_seconds: request.bounds.cpu_seconds,
        };
        match run.event(run.deadline.min(started + GRACE))? {
            Some(Event::Started) => Ok(run),
            Some(Event::Refused(reason)) => Err(io::Error::other(reason)),
            Some(Event::Ended(_)) => Err(io::Error::other("it ended before it started")),
            None => {
                run.zygote.kill();
                Err(io::Error::new(io::ErrorKind::TimedOut, "the zygote says nothing"))
            }
        }
    }

    /// Streams the blob into the child until its end, or until the child reads no more.
    pub(super) fn feed(&mut self, blob: &mut Hashing<'_>) -> Result<(), Failed> {
        let (Some(mut to), Some(answer)) = (self.blob.take(), self.answer.as_ref()) else { return Ok(()) };
        loop {
            let chunk = blob.chunk().map_err(Failed::Source)?;
            if chunk.is_empty() {
                return Ok(());
            }
            match to.write(chunk) {
                Ok(written) => blob.pass(written).map_err(Failed::Source)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let (writable, readable) = (PollFlags::POLLOUT, PollFlags::POLLIN);
                    let mut watched = [PollFd::new(to.as_fd(), writable), PollFd::new(answer.as_fd(), readable)];
                    wait(&mut watched, self.deadline).map_err(|e| Failed::Sandbox(e.to_string()))?;
                    // It answers, or it is gone: either way it reads no more.
                    if watched[1].any() == Some(true) {
                        return Ok(());
                    }
                }
                Err(_) => return Ok(()),
            }
            self.in_time()?;
        }
    }

    /// Goes through what the child did not want to read.
    pub(super) fn read_rest(&self, blob: &mut Hashing<'_>) -> Result<(), Failed> {
        loop {
            let rest = blob.chunk().map_err(Failed::Source)?.len();
            if rest == 0 {
                return Ok(());
            }
            blob.pass(rest).map_err(Failed::Source)?;
            self.in_time()?;
        }
    }

    fn in_time(&self) -> Result<(), Failed> {
        if Instant::now() < self.deadline { Ok(()) } else { Err(self.late()) }
    }

    fn late(&self) -> Failed {
        let allowed = (self.deadline - self.started).as_secs_f64();
        Failed::Resources(format!("the layer took longer than {allowed} seconds"))
    }

    /// What the child says, once.
    pub(super) fn answer(&mut self) -> Result<Answer, NoAnswer> {
        self.answer.take().map_or(Err(NoAnswer::Unreadable), |from| answer::read(from, self.deadline))
    }

    /// How the child ended, which it soon does once it has answered.
    pub(super) fn end(&self) -> Result<Ended, Failed> {
        match self.event(Instant::now() + GRACE) {
            Ok(Some(Event::Ended(ended))) => Ok(ended),
            Ok(Some(_)) => Err(Failed::Sandbox("the zygote makes no sense".to_owned())),
            Ok(None) if self.zygote.is_alive() => Err(Failed::Resources("the parser does not end".to_owned())),
            Ok(None) | Err(_) => Err(Failed::Sandbox("the zygote has died".to_owned())),
        }
    }

    /// Why there was no answer, in words that depend on nothing but how the child ended.
    pub(super) fn explain(&mut self, no_answer: NoAnswer) -> Failed {
        if no_answer == NoAnswer::Late {
            return self.late();
        }
        let end = match self.end() {
            Ok(ended) => ended.end,
            Err(failed) => return failed,
        };
        let mut said = Vec::new();
        // An error only means that it said no more.
        let _ = (&mut self.last_words).take(LAST_WORDS).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        if !said.is_empty() {
            tracing::warn!(?end, said = said.escape_debug().to_string(), "a parser said its last words");
        }
        Failed::Resources(match end {
            End::Exit(code) if code == i32::from(UNCONFINED) => {
                return Failed::Sandbox("a child could not be confined".to_owned());
            }
            End::Exit(code) if code == i32::from(PANICKED) => "the parser panicked".to_owned(),
            End::Exit(_) => NO_ANSWER.to_owned(),
            End::Signal(_) if said.contains("memory allocation of ") => "the parser ran out of memory".to_owned(),
            End::Signal(_) if said.contains("overflowed its stack") => "the parser ran out of stack".to_owned(),
            End::Signal(signal) => match Signal::try_from(signal) {
                Ok(Signal::SIGXCPU) => format!("the parser took more than {} seconds of CPU time", self.cpu_seconds),
                Ok(signal) => format!("the parser was ended by {signal}"),
                Err(_) => format!("the parser was ended by signal {signal}"),
            },
        })
    }

    /// The next event; `None` if there is none in time.
    fn event(&self, deadline: Instant) -> io::Result<Option<Event>> {
        if !ready(self.events.as_fd(), PollFlags::POLLIN, deadline)? {
            return Ok(None);
        }
        match message::receive(self.events.as_fd())? {
            Some((event, _)) => Ok(Some(event)),
            None => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the zygote has died")),
        }
    }
}

/// Waits until `descriptor` is ready or broken; `false` if the deadline comes first.
pub(super) fn ready(descriptor: BorrowedFd<'_>, for_what: PollFlags, deadline: Instant) -> io::Result<bool> {
    wait(&mut [PollFd::new(descriptor, for_what)], deadline)
}

fn wait(watched: &mut [PollFd<'_>], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A rest of less than a millisecond is waited for too, instead of spinning through it.
        let left = left.as_millis().saturating_add(u128::from(!left.is_zero()));
        match poll(watched, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(0) if Instant::now() >= deadline => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(errno.into()),
        }
    }
}
