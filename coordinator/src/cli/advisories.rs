//! `lazaret advisories`: what findings come from.

use std::process::ExitCode;

use clap::Args;

use super::Failure;

/// Fetch, import and show the advisories that findings come from
#[derive(Debug, Args)]
pub(super) struct Advisories {}

impl Advisories {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        Err(Failure::new("not there yet"))
    }
}
