//! The metrics of the cache.

use super::failure::Failure;
use crate::door::cache::Claim;
use crate::telemetry::metrics as names;

/// How many of the wanted values were there, and how many were not.
pub fn hits_and_misses<T>(operation: &'static str, answers: &[T], is_hit: impl Fn(&T) -> bool) {
    let hits = answers.iter().filter(|answer| is_hit(answer)).count() as u64;
    metrics::counter!(names::CACHE_HITS, "operation" => operation).increment(hits);
    metrics::counter!(names::CACHE_MISSES, "operation" => operation).increment(answers.len() as u64 - hits);
}

/// A request, or a part of it, failed.
pub fn failure(failure: Failure) {
    metrics::counter!(names::CACHE_ERRORS, "kind" => failure.label()).increment(1);
}

/// A value was there that we did not put there: garbage, forged, too long, or sealed with another key.
pub fn rejected() {
    metrics::counter!(names::CACHE_ERRORS, "kind" => "rejected").increment(1);
}

/// What became of the wish for claims.
pub fn claims(answers: &[Claim]) {
    let (taken, held, unknown) = answers.iter().fold((0, 0, 0), |(taken, held, unknown), claim| match claim {
        Claim::Taken => (taken + 1, held, unknown),
        Claim::Held(_) => (taken, held + 1, unknown),
        Claim::Unknown => (taken, held, unknown + 1),
    });
    for (outcome, count) in [("taken", taken), ("held", held), ("unknown", unknown)] {
        metrics::counter!(names::CLAIMS, "outcome" => outcome).increment(count);
    }
}
