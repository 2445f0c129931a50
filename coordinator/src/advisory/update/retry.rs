//! When to try again, and how long to wait before.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How often a fetch may fail in a row, without a single byte in between.
pub(super) const TRIES: u32 = 5;
/// The wait that a server may ask for, at most.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The wait that a server may ask for, at least.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The wait before try number `failures + 1`, where the server did not ask for one: half a second, doubled each time.
pub(super) fn backoff(failures: u32) -> Duration {
    Duration::from_millis(500) * 2u32.saturating_pow(failures.saturating_sub(1).min(6))
}

/// The wait that a response asks for: seconds or a date (RFC 9110, 10.2.3), kept between a second and five minutes.
/// Something unreadable counts as no wish.
pub(super) fn asked_for(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_and_dates_and_no_nonsense() {
        let now = "2024-01-01T00:00:00Z".parse().unwrap();
        let asked = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            asked_for(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(asked("7"), Some(7));
        assert_eq!(asked("0"), Some(1));
        assert_eq!(asked("864000"), Some(300));
        assert_eq!(asked("Mon, 01 Jan 2024 00:00:10 GMT"), Some(10));
        assert_eq!(asked("Sun, 31 Dec 2023 00:00:10 GMT"), Some(1));
        assert_eq!(asked("35.852µs"), None);
        assert_eq!(asked_for(&HeaderMap::new(), now), None);
    }
}
