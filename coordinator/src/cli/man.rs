//! `lazaret man`: manual pages, one for each command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::{Cli, Failure};

/// Write the manual pages into a directory; read one with `man -l lazaret-scan.1`
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where to; made if missing
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let failed = |error| Failure::new(format_args!("cannot write to {}: {error}", self.directory.display()));
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), &self.directory).map_err(failed)?;
        Ok(ExitCode::SUCCESS)
    }
}
