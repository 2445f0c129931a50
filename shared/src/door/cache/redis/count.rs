//! The metrics of the cache.

use super::failure::Failure;

/// How many of the wanted values were there, and how many were not.
pub fn hits_and_misses<T>(operation: &'static str, answers: &[T], is_hit: impl Fn(&T) -> bool) {
    let hits = answers.iter().filter(|answer| is_hit(answer)).count() as u64;
    metrics::counter!("lazaret_cache_hits_total", "operation" => operation).increment(hits);
    metrics::counter!("lazaret_cache_misses_total", "operation" => operation).increment(answers.len() as u64 - hits);
}

/// A request, or a part of it, failed.
pub fn failure(failure: Failure) {
    metrics::counter!("lazaret_cache_errors_total", "kind" => failure.label()).increment(1);
}

/// A value was there that we did not put there: garbage, forged, too long, or sealed with another key.
pub fn rejected() {
    metrics::counter!("lazaret_cache_rejected_total").increment(1);
}
