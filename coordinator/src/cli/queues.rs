//! `lazaret queues`: makes the queues of a farm, and shows what waits in them.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, farm_doors, fetching};

/// Make and look at the queues of a farm
#[derive(Debug, Args)]
pub(super) struct Queues {
    #[command(subcommand)]
    command: Command,
    /// The queue: amqp://HOST[,HOST…]
    #[arg(long, value_name = "URL", env = "LAZARET_QUEUE", hide_env_values = true, global = true)]
    queue: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the queues that are missing; needs a user that may configure
    Declare,
    /// Show how much waits in each
    Show,
}

impl Queues {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let url = self.queue.ok_or_else(|| Failure::new("which queue? write --queue amqp://HOST, or set LAZARET_QUEUE"))?;
        fetching::runtime()?.block_on(async {
            let queue = farm_doors::open_queue(&url).await?;
            let mut out = std::io::stdout().lock();
            match self.command {
                // Opening the door declares what is missing.
                Command::Declare => writeln!(out, "all queues are there")?,
                Command::Show => {
                    let depths = queue.depths().await.map_err(Failure::new)?;
                    writeln!(out, "interactive   {}", depths.interactive)?;
                    writeln!(out, "bulk          {}", depths.bulk)?;
                    writeln!(out, "retry         {}", depths.retry)?;
                    writeln!(out, "dead letters  {}", depths.dead)?;
                    writeln!(out, "jobs          {}", depths.jobs)?;
                }
            }
            queue.close().await;
            Ok(ExitCode::SUCCESS)
        })
    }
}
