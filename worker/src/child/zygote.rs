//! The zygote: forks a child for each request, tells how each ended, ends those that nobody waits for.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use lazaret::rules::{MAX_BYTES, RulesObject};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeVal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stdin, getpid};

use super::fork::{SingleThread, fork};
use super::message::{self, End, Ended, Event, Landlock, Ready, Request, Setup};
use super::work::{self, Task};
use super::{Probe, confine};
use crate::ruleset::Ruleset;

/// Of what is wrong with rules, so many characters are told.
const MOST_WORDS: usize = 800;

/// A child that is not reaped yet: its number is its own until then.
struct Child {
    pid: Pid,
    /// Where the worker hears of it; gone once the worker hung up.
    events: Option<OwnedFd>,
}

struct Zygote {
    requests: OwnedFd,
    deaths: SignalFd,
    single: SingleThread,
    rules: Ruleset,
    children: Vec<Child>,
    /// CPU time of all children that were reaped.
    spent_micros: u64,
}

enum Turn {
    Again,
    /// The worker is gone. Whatever children are left die with their parent.
    Over,
    /// This is the child.
    Born(Task),
}

/// Serves until the worker is gone.
pub(super) fn run(probes: &'static [Probe], landlock: bool) -> ExitCode {
    let Ok(mut zygote) = Zygote::start(landlock) else { return ExitCode::FAILURE };
    loop {
        match zygote.turn() {
            Ok(Turn::Again) => {}
            Ok(Turn::Over) => return ExitCode::SUCCESS,
            Ok(Turn::Born(task)) => {
                // Sockets of the zygote, and of other children, are none of a child's business.
                drop(zygote);
                return work::run(task, probes);
            }
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

/// The rules that the worker names first of all, or what is wrong with them.
fn rules(requests: &OwnedFd) -> io::Result<Result<Ruleset, String>> {
    let Some((Setup { rules }, descriptors)) = message::receive::<Setup>(requests.as_fd())? else {
        return Err(io::Error::other("the worker is gone"));
    };
    let (true, Some(file)) = (rules, descriptors.into_iter().next()) else { return Ok(Ok(Ruleset::built_in())) };
    let mut json = Vec::new();
    File::from(file).take(MAX_BYTES as u64 + 1).read_to_end(&mut json)?;
    let object = RulesObject::from_json(json).map_err(|error| error.to_string());
    Ok(object.and_then(|object| Ruleset::with(Some(&object)).map_err(|error| error.to_string())))
}

impl Zygote {
    /// Standard input is the socket, both outputs lead nowhere. The worker's death is noticed by that socket's end:
    /// `PR_SET_PDEATHSIG` would be sent at the end of the mere thread that started this process.
    fn start(landlock: bool) -> io::Result<Self> {
        confine::close_others()?;
        let requests = io::stdin().as_fd().try_clone_to_owned()?;
        dup2_stdin(io::stdout())?;
        std::env::set_current_dir("/")?;
        let rules = match rules(&requests)? {
            Ok(rules) => rules,
            Err(reason) => {
                let refused = Some(reason.chars().take(MOST_WORDS).collect());
                message::send(requests.as_fd(), &Ready { landlock: Landlock::None, refused }, &[])?;
                return Err(io::Error::other("there are no such rules"));
            }
        };
        work::warm_up()?;
        let single = SingleThread::prove()?;
        confine::leave_root();
        set_no_new_privs()?;
        let landlock = if landlock { confine::restrict().unwrap_or(Landlock::None) } else { Landlock::None };
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.thread_block()?;
        let deaths = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        message::send(requests.as_fd(), &Ready { landlock, refused: None }, &[])?;
        Ok(Self { requests, deaths, single, rules, children: Vec::new(), spent_micros: 0 })
    }

    fn turn(&mut self) -> io::Result<Turn> {
        let mut watched = vec![
            PollFd::new(self.requests.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.deaths.as_fd(), PollFlags::POLLIN),
        ];
        let events = self.children.iter().filter_map(|child| child.events.as_ref());
        // The worker never says anything there, it only hangs up.
        watched.extend(events.map(|events| PollFd::new(events.as_fd(), PollFlags::POLLIN)));
        match poll(&mut watched, PollTimeout::NONE) {
            Err(Errno::EINTR) => return Ok(Turn::Again),
            polled => polled?,
        };
        let mut fired = watched.iter().map(|watched| watched.any().unwrap_or(true)).collect::<Vec<_>>().into_iter();
        let (asked, died) = (fired.next() == Some(true), fired.next() == Some(true));
        for child in self.children.iter_mut().filter(|child| child.events.is_some()) {
            if fired.next() == Some(true) {
                // It cannot be another process by now: nobody but this one reaps it.
                let _ = kill(child.pid, Signal::SIGKILL);
                child.events = None;
            }
        }
        if died {
            self.reap()?;
        }
        if asked { self.serve() } else { Ok(Turn::Again) }
    }

    fn serve(&mut self) -> io::Result<Turn> {
        let Some((request, descriptors)) = message::receive::<Request>(self.requests.as_fd())? else {
            return Ok(Turn::Over);
        };
        let Ok([blob, answer, last_words, events]) = <[OwnedFd; 4]>::try_from(descriptors) else {
            return Err(io::Error::other("a request without its descriptors"));
        };
        let zygote = getpid();
        match fork(&self.single) {
            Ok(ForkResult::Child) => {
                return Ok(Turn::Born(Task { request, rules: self.rules, zygote, blob, answer, last_words }));
            }
            // A worker that does not listen any more will have hung up, which the next turn sees.
            Ok(ForkResult::Parent { child }) => {
                let _ = message::send(events.as_fd(), &Event::Started, &[]);
                self.children.push(Child { pid: child, events: Some(events) });
            }
            Err(errno) => drop(message::send(events.as_fd(), &Event::Refused(errno.desc().to_owned()), &[])),
        }
        Ok(Turn::Again)
    }

    fn reap(&mut self) -> io::Result<()> {
        while self.deaths.read_signal()?.is_some() {}
        loop {
            let (pid, end) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, End::Exit(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, End::Signal(signal as i32)),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
                Ok(_) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let spent = getrusage(UsageWho::RUSAGE_CHILDREN)?;
            let spent = micros(spent.user_time()) + micros(spent.system_time());
            let cpu_micros = spent.saturating_sub(std::mem::replace(&mut self.spent_micros, spent));
            if let Some(at) = self.children.iter().position(|child| child.pid == pid) {
                let child = self.children.swap_remove(at);
                if let Some(events) = child.events {
                    let _ = message::send(events.as_fd(), &Event::Ended(Ended { end, cpu_micros }), &[]);
                }
            }
        }
    }
}

fn micros(time: TimeVal) -> u64 {
    u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default()
}
