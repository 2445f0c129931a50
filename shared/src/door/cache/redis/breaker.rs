//! Stops asking a server that does not answer, so that nobody waits for it; and asks again from time to time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many failures in a row open it.
const FAILURES: u32 = 3;
/// How long nobody is let through; then one is, to see.
pub const PAUSE: Duration = Duration::from_secs(1);

/// Closed: everybody asks. Open: nobody does, but for one in every pause.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next may ask, if it is open.
    next: Option<Instant>,
}

impl Breaker {
    /// Whether to ask at `now`. Who is let through an open breaker may be dropped before it tells: the next pause has
    /// begun already.
    pub fn admits(&self, now: Instant) -> bool {
        let mut state = self.state();
        match state.next {
            None => true,
            Some(next) if now < next => false,
            Some(_) => {
                state.next = Some(now + PAUSE);
                true
            }
        }
    }

    /// Whether everybody asks.
    pub fn is_closed(&self) -> bool {
        self.state().next.is_none()
    }

    /// There was an answer. Whether that closed it.
    pub fn succeeded(&self) -> bool {
        let mut state = self.state();
        state.failures = 0;
        state.next.take().is_some()
    }

    /// There was none by `now`. Whether that opened it.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let opens = state.next.is_none() && state.failures >= FAILURES;
        if opens {
            state.next = Some(now + PAUSE);
        }
        opens
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_lets_one_through_in_each_pause() {
        let breaker = Breaker::default();
        let now = Instant::now();
        assert!(!breaker.failed(now) && !breaker.failed(now));
        assert!(!breaker.succeeded(), "it was closed");
        assert!(!breaker.failed(now) && !breaker.failed(now), "in a row");
        assert!(breaker.admits(now));
        assert!(breaker.failed(now), "now it opens");
        assert!(!breaker.failed(now), "it was open");
        assert!(!breaker.admits(now));
        let later = now + PAUSE;
        assert!(breaker.admits(later));
        assert!(!breaker.admits(later), "one is enough");
        assert!(breaker.admits(later + PAUSE), "the first never told");
        assert!(breaker.succeeded());
        assert!(breaker.admits(later));
        assert!(!breaker.failed(later), "it counts from the start");
    }
}
