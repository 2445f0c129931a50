//! How long to wait for an S3 server, and when to ask it again.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::telemetry::metrics as names;

/// The limits of waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To open a connection.
    pub connect: Duration,
    /// For an answer; a body may take another second for each MiB.
    pub attempt: Duration,
    /// After this much time no further attempt begins.
    pub operation: Duration,
    /// Attempts of one request.
    pub tries: u32,
    /// The first pause between attempts where the server names none; it doubles each time, less a random part.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(60),
            tries: 5,
            pause: Duration::from_millis(200),
        }
    }
}

/// What an attempt gave, and which one it was. After the first, an earlier attempt may have been carried out without
/// an answer that reached us.
pub(super) struct Answer<T> {
    pub value: T,
    pub attempt: u32,
}

impl Patience {
    /// The longest pause, also for a server that asks for more.
    const LONGEST_PAUSE: Duration = Duration::from_secs(10);

    /// Asks until there is an answer or a failure that asking again does not heal. Each attempt is counted.
    pub(super) async fn ask<T, F>(&self, operation: &'static str, send: impl Fn() -> F) -> Answer<Result<T, Failure>>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let start = Instant::now();
        let mut attempt = 1;
        loop {
            let began = Instant::now();
            let value = send().await;
            let outcome = value.as_ref().err().map_or("ok", Failure::outcome);
            metrics::counter!(names::STORE_REQUESTS, "operation" => operation, "outcome" => outcome).increment(1);
            metrics::histogram!(names::STORE_REQUEST_DURATION, "operation" => operation).record(began.elapsed());
            let Err(Failure::Again { reason, after }) = &value else { return Answer { value, attempt } };
            let pause = after.unwrap_or_default().max(self.pause(attempt)).min(Self::LONGEST_PAUSE);
            if attempt >= self.tries || start.elapsed() + pause >= self.operation {
                return Answer { value, attempt };
            }
            tracing::debug!(operation, attempt, reason, ?pause, "the store is asked again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Lets `work`, which moves so many bytes, take its time and no longer.
    pub(super) async fn limit<T>(
        &self,
        bytes: usize,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = self.attempt + Duration::from_secs((bytes >> 20) as u64);
        let late = || Failure::again(format!("no answer within {limit:?}"));
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late()))
    }

    /// Between half and all of a pause that doubles with each attempt, so that a fleet does not come back in step.
    fn pause(&self, attempt: u32) -> Duration {
        let random = (RandomState::new().hash_one(0_u8) >> 11) as f64 / (1_u64 << 53) as f64;
        (self.pause * (1 << (attempt - 1).min(10))).mul_f64(0.5 + random / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn quick() -> Patience {
        Patience { pause: Duration::from_millis(1), ..Patience::default() }
    }

    #[tokio::test]
    async fn what_may_heal_is_asked_five_times_and_what_is_refused_once() {
        for (tries, failure) in [
            (5, (|| Failure::again("503")) as fn() -> Failure),
            (1, || Failure::Refused("403".into())),
            (1, || Failure::Absent),
            (1, || Failure::Changed),
        ] {
            let count = Cell::new(0);
            let answer = quick()
                .ask("get", || async {
                    count.set(count.get() + 1);
                    Err::<(), _>(failure())
                })
                .await;
            assert!(answer.value.is_err());
            assert_eq!((count.get(), answer.attempt), (tries, tries), "{:?}", failure());
        }
    }

    #[tokio::test]
    async fn no_attempt_begins_after_the_operations_time() {
        let patience = Patience { operation: Duration::from_millis(5), pause: Duration::from_secs(1), ..quick() };
        let answer = patience.ask("get", || async { Err::<(), _>(Failure::again("503")) }).await;
        assert_eq!(answer.attempt, 1);
    }

    #[test]
    fn pauses_double_and_differ() {
        let patience = Patience { pause: Duration::from_millis(100), ..Patience::default() };
        for attempt in 1..=4 {
            let full = Duration::from_millis(100 << (attempt - 1));
            let pauses: Vec<_> = (0..20).map(|_| patience.pause(attempt)).collect();
            assert!(pauses.iter().all(|pause| *pause >= full / 2 && *pause <= full), "{pauses:?}");
            assert!(pauses.iter().any(|pause| pause != &pauses[0]), "no jitter: {pauses:?}");
        }
    }
}
