//! `lazaret advisories`: fetch, import and show what findings come from.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lazaret::digest::hex;
use lazaret::text::visible;

use super::fetching::{self, Fetching};
use super::{Failure, settings};
use crate::advisory::compile::Summary;
use crate::advisory::update::{self, Home, Outcome};

/// Fetch, import and show the advisories that findings come from
#[derive(Debug, Args)]
pub(super) struct Advisories {
    #[command(subcommand)]
    command: Command,
    /// The snapshot, or the directory that has one [default: below the user's data directory]
    #[arg(long, value_name = "FILE", global = true)]
    advisories: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch what has changed since the last time, and switch to it in one step
    Update(Update),
    /// Compile advisories that are on this machine: directories of ECOSYSTEM/all.zip, zip archives, JSON files
    Import(Import),
    /// Show what the snapshot holds: by ecosystem how many advisories, their digest, when they were fetched
    Info,
}

#[derive(Debug, Args)]
struct Update {
    /// The ecosystems, as OSV names them: Debian, Alpine, PyPI, … [default: those fetched before, else all]
    ecosystems: Vec<String>,
    /// A mirror: its URL, or a directory; it has ECOSYSTEM/all.zip [default: OSV's public bucket]
    #[arg(long, value_name = "URL|DIR")]
    from: Option<String>,
    /// Fetch all ecosystems that the mirror lists
    #[arg(long, conflicts_with = "ecosystems")]
    all: bool,
}

#[derive(Debug, Args)]
struct Import {
    /// Where they are
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Advisories {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let home = settings::advisory_home(self.advisories.as_deref())?;
        match self.command {
            Command::Update(update) => {
                let mut ecosystems = update.ecosystems;
                if ecosystems.is_empty() && !update.all {
                    ecosystems = home.state().map_err(Failure::new)?.feeds.into_keys().collect();
                }
                let from = update.from.as_deref().unwrap_or(update::default_base());
                let outcome = fetching::update(&home, from, &ecosystems, &Fetching::start())?;
                told(&outcome)
            }
            Command::Import(import) => {
                let fetching = Fetching::start();
                fetching.note(update::Progress::Compiling);
                let outcome =
                    fetching::runtime()?.block_on(update::import(&home, &import.paths)).map_err(Failure::new)?;
                drop(fetching);
                told(&outcome)
            }
            Command::Info => info(&home),
        }
    }
}

fn told(outcome: &Outcome) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    for ecosystem in &outcome.missing {
        super::failure::say(format_args!("warning: there are no advisories for `{ecosystem}` there"));
    }
    match &outcome.compiled {
        None => writeln!(out, "nothing has changed; the snapshot is {}", outcome.snapshot.display())?,
        Some(summary) => {
            let Summary { advisories, ranges, withdrawn, bad, .. } = summary;
            let ecosystems = summary.ecosystems.len();
            writeln!(
                out,
                "{advisories} advisories with {ranges} ranges for {ecosystems} ecosystems, {withdrawn} withdrawn"
            )?;
            if *bad > 0 {
                super::failure::say(format_args!("warning: {bad} records could not be read:"));
                for (name, reason) in summary.bad_records.iter().take(10) {
                    super::failure::say(format_args!("  {name}: {reason}"));
                }
            }
            writeln!(out, "the snapshot is {}", outcome.snapshot.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn info(home: &Home) -> Result<ExitCode, Failure> {
    let Some(info) = update::info(home).map_err(Failure::new)? else {
        return Err(Failure::new(
            "there is no advisory snapshot yet; run `lazaret advisories update`, or `import PATH`",
        ));
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(out, "snapshot  {}", info.snapshot.display())?;
    writeln!(out, "digest    {}", hex(&info.digest))?;
    let compiled = if info.compiled.is_empty() { "unknown" } else { &info.compiled };
    writeln!(out, "compiled  {}", visible(compiled))?;
    for path in &info.imported {
        writeln!(out, "imported  {}", visible(&path.display().to_string()))?;
    }
    writeln!(out, "\n{:<40} {:>10} {:>10}  {:<16}  FETCHED", "ECOSYSTEM", "ADVISORIES", "WITHDRAWN", "DIGEST")?;
    for (ecosystem, fetched) in &info.ecosystems {
        let when = fetched.as_ref().map_or("-", |fetched| fetched.fetched.as_str());
        let digest = &hex(&ecosystem.digest)[..16];
        let (name, count, withdrawn) = (visible(&ecosystem.name), ecosystem.advisories, ecosystem.withdrawn);
        writeln!(out, "{name:<40} {count:>10} {withdrawn:>10}  {digest}  {}", visible(when))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
