//! The command `lazaret-loadtest`.

use std::process::ExitCode;

mod cli;

/// 0: the scenario's verdict holds; 1: it does not; 2: there is none.
fn main() -> ExitCode {
    cli::run()
}
