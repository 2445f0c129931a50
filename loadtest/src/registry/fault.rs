//! What goes wrong in a registry, by seed: the same request fails the same way at the same attempt in every run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::fleet::seed::{Chance, number};

/// How large a part of the requests goes wrong, each from 0 to 1; none unless given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Decides which.
    pub seed: u64,
    /// Answered 500.
    pub internal_errors: f64,
    /// Answered 503.
    pub unavailable: f64,
    /// Half of the body, then the end of the connection.
    pub truncated: f64,
    /// The connection ends before the first byte of the body.
    pub reset: f64,
    /// A blob comes in small pieces with pauses.
    pub slow: f64,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    InternalError,
    Unavailable,
    Truncated,
    Reset,
    Slow,
}

/// Counts attempts, so that whoever tries again gets another answer.
pub(super) struct Mishaps {
    faults: Faults,
    attempts: Mutex<HashMap<u64, u64>>,
}

impl Mishaps {
    /// None where nothing goes wrong.
    pub(super) fn new(faults: Faults) -> Option<Self> {
        let Faults { seed: _, internal_errors, unavailable, truncated, reset, slow } = faults;
        let all = internal_errors + unavailable + truncated + reset + slow;
        (all > 0.0).then(|| Self { faults, attempts: Mutex::default() })
    }

    pub(super) fn next(&self, path: &str) -> Option<Fault> {
        let path = number(path);
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            let attempt = attempts.entry(path).or_default();
            *attempt += 1;
            *attempt
        };
        let mut at = Chance::of(self.faults.seed, &[path, attempt]).unit();
        let Faults { seed: _, internal_errors, unavailable, truncated, reset, slow } = self.faults;
        let shares = [
            (internal_errors, Fault::InternalError),
            (unavailable, Fault::Unavailable),
            (truncated, Fault::Truncated),
            (reset, Fault::Reset),
            (slow, Fault::Slow),
        ];
        for (share, fault) in shares {
            if at < share {
                return Some(fault);
            }
            at -= share;
        }
        None
    }
}
