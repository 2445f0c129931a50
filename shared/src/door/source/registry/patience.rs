//! How long to wait for a registry, and when to ask it again.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use super::http_date;

/// The limits of waiting. The defaults suit a registry on the internet.
#[derive(Clone, Debug)]
pub struct Patience {
    /// To open a connection.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// Over this much time spent waiting for a body …
    pub window: Duration,
    /// … at least so many bytes must have come.
    pub window_bytes: u64,
    /// Attempts of one request; a blob starts counting anew whenever it has advanced by a MiB.
    pub tries: u32,
    /// The first pause between attempts where the registry names none; it doubles each time, less a random part.
    pub pause: Duration,
    /// The shortest pause that the registry may ask for with `Retry-After`.
    pub shortest_pause: Duration,
    /// The longest; one that asks for more is asked again after this.
    pub longest_pause: Duration,
    /// All pauses of one request together.
    pub total_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            window: Duration::from_secs(60),
            window_bytes: 60 << 10,
            tries: 5,
            pause: Duration::from_millis(400),
            shortest_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
            total_pause: Duration::from_secs(600),
        }
    }
}

/// The attempts of one request so far.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    patience: &'a Patience,
    failed: u32,
    paused: Duration,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(patience: &'a Patience) -> Self {
        Self { patience, failed: 0, paused: Duration::ZERO }
    }

    /// Counts a failure; how long to wait before the next attempt, or `None` when patience is at its end.
    pub(super) fn next_pause(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let patience = self.patience;
        self.failed += 1;
        if self.failed >= patience.tries {
            return None;
        }
        let pause = match retry_after {
            // Never earlier than asked, and a little later at random, so that not all come back at once.
            Some(_) => self.wished(retry_after).mul_f64(1.0 + random() / 10.0),
            None => patience.pause.saturating_mul(1 << (self.failed - 1).min(16)).mul_f64(1.0 - random() / 2.0),
        };
        self.paused += pause;
        (self.paused <= patience.total_pause).then_some(pause)
    }

    /// How long the registry wishes not to be asked, within limits.
    pub(super) fn wished(&self, retry_after: Option<Duration>) -> Duration {
        retry_after.unwrap_or_default().clamp(self.patience.shortest_pause, self.patience.longest_pause)
    }

    /// Does not count the next failure: only the time that is spent waiting has an end then.
    pub(super) fn forgive(&mut self) {
        self.failed = self.failed.saturating_sub(1);
    }

    /// Forgets the failures, because the request advanced.
    pub(super) fn start_anew(&mut self) {
        *self = Self::new(self.patience);
    }
}

/// The wish in a `Retry-After` header: seconds or a date (RFC 9110, section 10.2.3). Anything else, such as the
/// `440.12µs` that one well-known registry sends, is a wish for no time at all, which [`Attempts::next_pause`] raises.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Duration {
    let text = header.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX)).min(u64::from(u32::MAX)));
    }
    http_date::parse(text).and_then(|date| date.duration_since(now).ok()).unwrap_or_default()
}

/// A number in 0..1 that differs between processes; the standard library's hash keys are random.
fn random() -> f64 {
    (RandomState::new().hash_one(0u8) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn retry_after_in_every_form() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, seconds) in [
            ("0", 0),
            ("120", 120),
            (" 7 ", 7),
            ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
            ("440.12µs", 0),
            ("-5", 0),
            ("", 0),
            ("soon", 0),
            ("864000", 864_000),
            ("99999999999999999999999999", u64::from(u32::MAX)),
        ] {
            assert_eq!(retry_after(text, now), Duration::from_secs(seconds), "{text}");
        }
    }

    #[test]
    fn pauses_have_a_floor_a_ceiling_and_an_end() {
        let patience = Patience::default();
        let pause = |wish| Attempts::new(&patience).next_pause(Some(Duration::from_secs(wish))).unwrap().as_secs_f64();
        assert!((1.0..=1.1).contains(&pause(0)));
        assert!((60.0..=66.0).contains(&pause(60)));
        assert!((300.0..=330.0).contains(&pause(864_000)));

        let mut attempts = Attempts::new(&patience);
        let waits = std::iter::from_fn(|| attempts.next_pause(Some(Duration::MAX))).count();
        assert_eq!(waits, 1, "600 s of patience hold one pause of 300 s and a bit");

        let mut attempts = Attempts::new(&patience);
        let forgiven = std::iter::from_fn(|| {
            attempts.forgive();
            attempts.next_pause(Some(Duration::from_secs(1)))
        });
        assert!((545..=600).contains(&forgiven.count()), "until the time for pauses is over");

        let mut attempts = Attempts::new(&patience);
        let waits: Vec<_> = std::iter::from_fn(|| attempts.next_pause(None)).collect();
        assert_eq!(waits.len(), 4);
        assert!(waits.iter().sum::<Duration>() <= Duration::from_secs(6));
    }
}
