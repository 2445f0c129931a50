//! Builds that are wrong in one place, to show that the load test sees it. Only there with the feature `mutants`.

/// Whether this process is to be wrong in this way: `LAZARET_MUTANT` names it.
pub fn is(name: &str) -> bool {
    std::env::var("LAZARET_MUTANT").is_ok_and(|mutant| mutant == name)
}
