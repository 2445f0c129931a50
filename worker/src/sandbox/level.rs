//! How much a kernel protects, found out by trying.

use std::fmt;
use std::str::FromStr;

use crate::child::message::Landlock;

pub(super) const SECCOMP: &str = "seccomp";
pub(super) const PROGRAMS: &str = "programs";

/// How well children are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A process of its own with bounds on memory, time and files' sizes, and without environment; no more.
    None,
    /// Landlock or seccomp, but not all that is asked of both.
    Partial,
    /// Landlock (files, TCP, signals) and seccomp, and nothing that was tried got through.
    Full,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Partial => "partial",
            Self::Full => "full",
        })
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no level of protection: expected full, partial or none")]
pub struct LevelError;

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        [Self::None, Self::Partial, Self::Full].into_iter().find(|level| level.to_string() == text).ok_or(LevelError)
    }
}

/// A level with what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The level.
    pub level: Level,
    /// What the kernel lacks, or what a child was not denied; nothing at the full level.
    pub missing: Vec<String>,
    /// Whether children have a filter of system calls.
    pub(super) seccomp: bool,
}

impl Protection {
    pub(super) fn new(landlock: Landlock, seccomp: bool, mut missing: Vec<String>) -> Self {
        if !seccomp && !missing.iter().any(|what| what == SECCOMP) {
            missing.push(SECCOMP.to_owned());
        }
        missing.sort_unstable();
        missing.dedup();
        let level = match landlock {
            _ if missing.is_empty() => Level::Full,
            Landlock::None if !seccomp => Level::None,
            _ => Level::Partial,
        };
        Self { level, missing, seccomp }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.level.fmt(f)?;
        if self.missing.is_empty() {
            Ok(())
        } else {
            write!(f, " (not denied or not there: {})", self.missing.join(", "))
        }
    }
}

pub(super) fn missing_of(landlock: Landlock) -> Vec<String> {
    match landlock {
        Landlock::Full => vec![],
        Landlock::Partial => vec!["landlock of Linux 6.12".to_owned()],
        Landlock::None => vec!["landlock".to_owned()],
    }
}
