//! The pace at which a registry lets itself be asked by this process, found out from its refusals.
//!
//! Each request that a limit refuses would otherwise come back on its own, be refused again, and run out of attempts though
//! the registry answers others all the while. So all requests to a host go through one gate: after a 429 it is closed for as
//! long as the registry wishes, and then lets one after the other pass, at intervals that grow with each refusal and shrink
//! with each success (additive increase, multiplicative decrease in spirit: D.-M. Chiu and R. Jain, 1989).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two requests after the first refusal.
const FIRST: Duration = Duration::from_millis(50);
/// The longest: a registry that takes less is given up by those who wait.
const LONGEST: Duration = Duration::from_secs(5);
/// Shorter ones are none.
const NONE: Duration = Duration::from_millis(1);
/// What a refusal and a success make of the interval.
const SLOWER: f64 = 1.5;
const FASTER: f64 = 0.99;

/// A gate that stands open until the first refusal.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pace: Mutex<Pace>,
    answered: AtomicU64,
}

#[derive(Debug, Default)]
struct Pace {
    interval: Duration,
    /// When the next request may pass; none while there is no limit.
    next: Option<Instant>,
    /// When the interval last grew: what was sent before was refused for the pace of then.
    slowed: Option<Instant>,
}

impl Gate {
    /// Waits for the request's turn; when that was.
    pub(super) async fn pass(&self) -> Instant {
        let turn = self.turn(Instant::now());
        tokio::time::sleep_until(turn.into()).await;
        turn
    }

    fn turn(&self, now: Instant) -> Instant {
        let mut pace = self.pace();
        let Some(next) = pace.next else { return now };
        let turn = next.max(now);
        pace.next = (pace.interval > Duration::ZERO || turn > now).then_some(turn + pace.interval);
        turn
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let mut pace = self.pace();
        if pace.interval > Duration::ZERO {
            let shorter = pace.interval.mul_f64(FASTER);
            pace.interval = if shorter < NONE { Duration::ZERO } else { shorter };
        }
    }

    /// How many requests were answered so far.
    pub(super) fn answers(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// A request that passed at `passed` was refused for its pace: none passes for this `pause`.
    pub(super) fn refused(&self, passed: Instant, pause: Duration) {
        let now = Instant::now();
        let mut pace = self.pace();
        if pace.slowed.is_none_or(|slowed| passed >= slowed) {
            pace.interval = pace.interval.mul_f64(SLOWER).clamp(FIRST, LONGEST);
            pace.slowed = Some(now + pause);
        }
        pace.next = pace.next.max(Some(now + pause));
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_open_until_a_refusal_and_closes_for_as_long_as_is_wished() {
        let (gate, now) = (Gate::default(), Instant::now());
        assert_eq!([gate.turn(now), gate.turn(now)], [now, now]);
        gate.refused(now, Duration::from_secs(3));
        let first = gate.turn(now);
        assert!(first >= now + Duration::from_secs(3));
        assert_eq!([gate.turn(now), gate.turn(now)], [first + FIRST, first + 2 * FIRST], "one after the other");
    }

    #[test]
    fn refusals_of_one_burst_slow_down_once_and_answers_speed_up() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..20 {
            gate.refused(now, Duration::from_secs(1));
        }
        assert_eq!(gate.pace().interval, FIRST);
        gate.refused(now + Duration::from_secs(10), Duration::from_secs(1));
        assert_eq!(gate.pace().interval, FIRST.mul_f64(SLOWER));
        for _ in 0..1_000 {
            gate.answered();
        }
        assert_eq!(gate.pace().interval, Duration::ZERO);
        let later = now + Duration::from_secs(60);
        assert_eq!([gate.turn(later), gate.turn(later)], [later, later], "open again");
        assert_eq!(gate.answers(), 1_000);
    }
}
