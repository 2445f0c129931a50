//! `lazaret completions`: completion scripts for shells.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::{Cli, Failure};

/// Print the completion script of a shell; for bash: `lazaret completions bash > /etc/bash_completion.d/lazaret`
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Which shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lazaret", &mut script);
        std::io::stdout().lock().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
