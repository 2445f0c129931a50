//! `lazaret version compare`: the version schemes, by hand.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Failure;
use crate::version::{self, Scheme};

/// Compare versions as a package manager does
#[derive(Debug, Args)]
pub(super) struct Version {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print `<`, `=` or `>` for two versions, or check lines of `A OP B`
    ///
    /// With `-` in place of the versions, lines `A OP B` (OP is `<`, `=` or `>`; `#` starts a comment) are read from standard
    /// input; each that is wrong is printed, with its number, and then a count. Exits 1 if any is wrong.
    Compare(Compare),
}

#[derive(Debug, Args)]
struct Compare {
    /// The scheme: apk, deb, rpm, pep440, npm, semver, cran, hackage, opam or pub
    scheme: Scheme,
    /// The first version, or - to read lines
    #[arg(allow_hyphen_values = true)]
    a: String,
    /// The second version
    #[arg(allow_hyphen_values = true)]
    b: Option<String>,
}

impl Version {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Command::Compare(compare) = self.command;
        let mut out = BufWriter::new(io::stdout().lock());
        let code = match (compare.a.as_str(), &compare.b) {
            ("-", None) => {
                let wrong = version::check::check_table(compare.scheme, io::stdin().lock(), &mut out)?;
                ExitCode::from(u8::from(wrong))
            }
            (a, Some(b)) => {
                let relation = version::check::relation(compare.scheme, a, b).map_err(Failure::new)?;
                writeln!(out, "{relation}")?;
                ExitCode::SUCCESS
            }
            (_, None) => {
                return Err(Failure::new("a second version is missing; write `lazaret version compare SCHEME A B`"));
            }
        };
        out.flush()?;
        Ok(code)
    }
}
