//! The command line. The only place that prints, and that ends the process.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod advisories;
mod completions;
mod demo;

mod failure;
mod farm;
mod farm_doors;
mod fetching;
mod find;
mod follow;
mod image_list;
mod jobs;
mod level;
mod man;
mod output;
mod progress;
mod queues;
mod registry;
mod report;
mod scan;
mod schema;
mod searching;
mod serve;
mod settings;
mod submit;
mod temporary;
mod token;
mod version;

pub use failure::Failure;

/// Scans container images: what is installed, what is known to be vulnerable, which layer brought it in, which version fixes it.
#[derive(Debug, Parser)]
#[command(name = "lazaret", version, max_term_width = 120, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Scan images
    Scan(Box<scan::Scan>),
    /// Watch a fleet of made-up images being scanned, with nothing but this machine
    Demo(demo::Demo),
    /// Coordinate a farm: take jobs over HTTP, plan them, and publish their reports
    Serve(Box<serve::Serve>),
    /// Make and look at the queues of a farm
    Queues(queues::Queues),
    /// Have a farm scan images
    Submit(Box<submit::Submit>),
    /// List and follow the jobs of a farm
    Jobs(jobs::Jobs),
    /// Show a report that a farm made
    Report(report::ShowReport),
    /// Find the images of a farm that expose the same secret
    Find(find::Find),
    /// Make tokens for the API of a farm
    Token(token::Token),
    /// Fetch, import and show the advisories that findings come from
    Advisories(advisories::Advisories),
    /// Compare versions as a package manager does
    Version(version::Version),
    /// Print the JSON Schema of reports
    Schema,
    /// Print shell completions
    Completions(completions::Completions),
    /// Write manual pages
    Man(man::Man),
}

/// Runs the command line and says how it ended: 0, 1 (findings at or over `--fail-on`; a wrong line of a comparison) or
/// 2 (an error, or an image of which some layer failed).
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        Command::Scan(scan) => scan.run(),
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Queues(queues) => queues.run(),
        Command::Submit(submit) => submit.run(),
        Command::Jobs(jobs) => jobs.run(),
        Command::Report(report) => report.run(),
        Command::Find(find) => find.run(),
        Command::Token(token) => token.run(),
        Command::Advisories(advisories) => advisories.run(),
        Command::Version(version) => version.run(),
        Command::Schema => schema::run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
