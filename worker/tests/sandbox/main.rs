//! The sandbox under hostile work: everything is denied or classified, the worker lives, and the next layer is fine.

#![allow(clippy::print_stderr, clippy::print_stdout)]

mod costs;
mod denied;
mod ends;
mod layers;
mod probes;
mod same;

use std::panic::catch_unwind;
use std::process::ExitCode;

use lazaret_worker::child;

/// A test and its name.
type Test = (&'static str, fn());

/// What `cargo test` would find by attributes; an executable that may become a zygote has a `main` of its own.
const TESTS: [&[Test]; 4] = [same::TESTS, denied::TESTS, ends::TESTS, costs::TESTS];

fn main() -> ExitCode {
    if let Some(code) = child::run_if_asked_with(probes::PROBES) {
        return code;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if wanted == [ends::VICTIM] {
        return ends::victim();
    }
    let mut failed = Vec::new();
    for (name, test) in TESTS.into_iter().flatten() {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        let outcome = catch_unwind(test);
        println!("test {name} ... {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {failed:?}");
    ExitCode::FAILURE
}
