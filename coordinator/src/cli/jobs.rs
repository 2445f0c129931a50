//! `lazaret jobs`: the jobs of a farm, and what became of them.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use tokio::signal::unix::Signal;

use super::farm::{FarmArgs, block_on};
use super::follow::{self, Verdict};
use super::{Failure, output};
use crate::farm::Farm;
use crate::serve::job::{JobPage, JobView, ResultPage, SCHEMA};

mod table;

/// List and follow the jobs of a farm
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
pub(super) struct Jobs {
    #[command(subcommand)]
    command: Option<JobCommand>,
    /// How many jobs to list, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// How to write it
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
    #[command(flatten)]
    farm: FarmArgs,
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    /// Show one job
    Show(Id),
    /// Wait for a job and list its results; Ctrl-C leaves it running
    Follow(Follow),
    /// List what became of a job's images so far
    Results(Id),
    /// Cancel a job
    Cancel(Id),
}

#[derive(Debug, Args)]
struct Id {
    /// The job
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Args)]
struct Follow {
    /// The job
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// JSON, as the farm's API writes it
    Json,
}

impl Jobs {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let farm = self.farm.open()?;
        block_on(self.ask(&farm))?
    }

    async fn ask(&self, farm: &Farm) -> Result<ExitCode, Failure> {
        match &self.command {
            None => {
                let jobs = farm.jobs(self.limit as usize).await.map_err(Failure::new)?;
                match self.format {
                    Format::Table => print(&table::jobs(&jobs))?,
                    Format::Json => {
                        let page = JobPage { schema: SCHEMA, jobs, next: None };
                        output::write(None, |out| output::json(out, &page))?;
                    }
                }
            }
            Some(JobCommand::Show(Id { id })) => self.show(&farm.job(id).await.map_err(Failure::new)?)?,
            Some(JobCommand::Cancel(Id { id })) => self.show(&farm.cancel(id).await.map_err(Failure::new)?)?,
            Some(JobCommand::Results(Id { id })) => {
                let results = farm.results(id).await.map_err(Failure::new)?;
                match self.format {
                    Format::Table => print(&table::results(&results))?,
                    Format::Json => {
                        let page = ResultPage { schema: SCHEMA, results, next: None };
                        output::write(None, |out| output::json(out, &page))?;
                    }
                }
            }
            Some(JobCommand::Follow(Follow { id, verdict })) => {
                let mut interrupts = follow::interrupts()?;
                return to_its_end(farm, id, verdict, &mut interrupts).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, job: &JobView) -> Result<(), Failure> {
        match self.format {
            Format::Table => print(&table::job(job)),
            Format::Json => output::write(None, |out| output::json(out, job)),
        }
    }
}

/// Waits for a job, lists what became of its images, and gives the exit code that this deserves. Ctrl-C ends the waiting,
/// and not the job.
pub(super) async fn to_its_end(
    farm: &Farm,
    id: &str,
    verdict: &Verdict,
    interrupts: &mut Signal,
) -> Result<ExitCode, Failure> {
    tokio::select! {
        ended = end(farm, id, verdict) => ended,
        _ = interrupts.recv() => Ok(follow::left(farm, id)),
    }
}

async fn end(farm: &Farm, id: &str, verdict: &Verdict) -> Result<ExitCode, Failure> {
    let job = follow::wait(farm, id).await?;
    let results = farm.results(id).await.map_err(Failure::new)?;
    match print(&table::results(&results)) {
        // Whoever has read enough still learns from the exit code what was found.
        Err(failure) if failure.is_closed_pipe() => {}
        printed => printed?,
    }
    follow::say_end(&job);
    Ok(verdict.exit_code(&job, &results))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
