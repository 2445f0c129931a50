//! One child: confine itself, do the work, write the answer, end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, dup2_stderr, getppid};

use super::message::{Answer, Request, Work};
use super::{Probe, confine, level, seccomp};
use crate::analyze::{Failure, analyze_unnamed};
use crate::decompress::Unpacked;
use crate::limits::Limits;
use crate::ruleset::Ruleset;
use crate::{malware, secrets, signature};

/// The code of a child that could not be confined as it was asked to be.
pub(crate) const UNCONFINED: u8 = 70;
/// The code of a child whose work panicked.
pub(crate) const PANICKED: u8 = 101;

/// As large as the inflater's own; a small layer touches only the start of it.
const BLOB_BUFFER: usize = 256 << 10;
const ANSWER_BUFFER: usize = 64 << 10;

/// What a child is born with.
pub(super) struct Task {
    pub(super) request: Request,
    pub(super) rules: Ruleset,
    pub(super) zygote: Pid,
    pub(super) blob: OwnedFd,
    pub(super) answer: OwnedFd,
    pub(super) last_words: OwnedFd,
}

/// Runs in the child until its end.
pub(super) fn run(task: Task, probes: &[Probe]) -> ExitCode {
    let Task { request, rules, zygote, blob, answer, last_words } = task;
    let Ok(filtered) = confined(&request, zygote, &last_words) else { return UNCONFINED.into() };
    drop(last_words);
    let found = catch_unwind(AssertUnwindSafe(|| {
        // Kept to the end: it is what the extractors' batches run on.
        let _pool = rayon::ThreadPoolBuilder::new()
            .num_threads(request.threads.into())
            .use_current_thread()
            .build()
            .map_err(io::Error::other)?;
        // The blob is closed when this is done, so that the worker learns that nobody reads any more.
        let mut blob = BufReader::with_capacity(BLOB_BUFFER, File::from(blob));
        Ok::<_, io::Error>(match request.work {
            Work::Analyse(limits) => analyse(blob, &limits, rules),
            Work::Level => Answer::Probed(if filtered { level::undenied() } else { vec!["seccomp".to_owned()] }),
            Work::Probe(name) => Answer::Probed(probe(probes, &name, &mut blob)),
        })
    }));
    match found {
        Ok(Ok(found)) => match write(&found, answer) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Ok(Err(_)) => UNCONFINED.into(),
        Err(_) => PANICKED.into(),
    }
}

/// Takes leave of everything; whether a filter of system calls is in force.
fn confined(request: &Request, zygote: Pid, last_words: &OwnedFd) -> io::Result<bool> {
    set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != zygote {
        return Err(io::Error::other("the zygote is gone already"));
    }
    SigSet::all().thread_unblock()?;
    dup2_stderr(last_words)?;
    confine::bound(&request.bounds, request.threads)?;
    match (request.seccomp, &request.work) {
        (false, _) => Ok(false),
        // Whether it can be had is what this child is to find out.
        (true, Work::Level) => Ok(seccomp::confine(request.threads).is_ok()),
        (true, _) => seccomp::confine(request.threads).map(|()| true).map_err(io::Error::other),
    }
}

/// Unpacks a layer without a file, before there are children: what is found out once for a process is then found out for all
/// of them. Of that, asking the processor for its features is dear, since a virtual machine traps it.
pub(super) fn warm_up() -> io::Result<()> {
    signature::warm_up();
    secrets::warm_up();
    malware::warm_up();
    blake3::hash(&[]);
    let mut empty = GzEncoder::new(Vec::new(), Compression::fast());
    empty.write_all(&[0; 1024])?;
    Unpacked::new(&empty.finish()?[..], Limits::default())?.finish().map(drop)
}

fn analyse(blob: impl BufRead, limits: &Limits, rules: Ruleset) -> Answer {
    match analyze_unnamed(blob, limits, rules) {
        Ok(analysis) => Answer::Inventory(Box::new(analysis.inventory)),
        Err(Failure { error, blob }) => Answer::Failed { words: error.to_string(), blob_was_read: blob.is_some() },
    }
}

fn probe(probes: &[Probe], name: &str, blob: &mut dyn BufRead) -> Vec<String> {
    probes.iter().find(|probe| probe.name == name).map(|probe| (probe.run)(blob)).unwrap_or_default()
}

fn write(found: &Answer, to: OwnedFd) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(ANSWER_BUFFER, File::from(to));
    found.write(&mut to).map_err(io::Error::other)?;
    to.flush()
}
