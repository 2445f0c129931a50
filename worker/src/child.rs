//! What runs inside the sandbox: the zygote, and the children that it forks, one for each layer.
//!
//! The zygote is this very executable, started again with one hidden argument, without environment and with one socket. It
//! gives up what it can (root, files, network, signals to others), and then forks a child whenever it is asked to, so that
//! a layer costs a fork and no start of a program. It never reads a byte of a layer but of an empty one of its own.

use std::process::ExitCode;

pub(crate) mod confine;
mod descriptors;
mod fork;
mod level;
pub(crate) mod message;
mod seccomp;
pub(crate) mod work;
mod zygote;

/// The hidden argument of the zygote.
pub(crate) const ZYGOTE: &str = "sandbox-zygote";
/// The hidden argument of a program that a child should not have been able to start.
pub(crate) const ESCAPED: &str = "sandbox-escaped";
/// The zygote's second argument where a kernel without landlock is simulated.
pub(crate) const WITHOUT_LANDLOCK: &str = "without-landlock";

/// Work that a test has its own executable do in the sandbox: reads the blob and says what it found.
#[derive(Clone, Copy)]
pub struct Probe {
    /// What [`crate::sandbox::Sandbox::probe`] calls it by.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&mut dyn std::io::BufRead) -> Vec<String>,
}

/// Becomes the zygote if this process was started to be one: the first thing that `main` of every executable with a
/// sandbox has to do, before it starts a thread or reads a setting. Where it gives a code, `main` returns that at once:
/// the zygote has ended, or a child of it, which comes back the same way.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = lazaret_worker::child::run_if_asked() {
///         return code;
///     }
///     ExitCode::SUCCESS // the program proper
/// }
/// ```
pub fn run_if_asked() -> Option<ExitCode> {
    run_if_asked_with(&[])
}

/// The same for an executable whose sandbox can do more than analyse.
pub fn run_if_asked_with(probes: &'static [Probe]) -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next()?;
    if first == ESCAPED {
        return Some(ExitCode::FAILURE);
    }
    (first == ZYGOTE).then(|| zygote::run(probes, arguments.next().is_none_or(|second| second != WITHOUT_LANDLOCK)))
}
