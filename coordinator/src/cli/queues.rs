//! `lazaret queues`: makes the queues of a farm, and shows what waits in them.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use lazaret::door::queue::{AmqpQueue, BrokerUrl, Queue as _, QueueSettings};

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
        let url =
            self.queue.ok_or_else(|| Failure::new("which queue? write --queue amqp://HOST, or set LAZARET_QUEUE"))?;
        fetching::runtime()?.block_on(async {
            match self.command {
                Command::Declare => {
                    let url = BrokerUrl::parse(&url).map_err(Failure::new)?;
                    let queue = AmqpQueue::open(&url, &QueueSettings::default()).await.map_err(Failure::new)?;
                    queue.declare().await.map_err(Failure::new)?;
                    writeln!(std::io::stdout(), "all queues are there")?;
                    queue.close().await;
                }
                Command::Show => {
                    let queue = farm_doors::open_queue(&url).await?;
                    let mut out = std::io::stdout().lock();
                    let depths = queue.depths().await.map_err(Failure::new)?;
                    writeln!(out, "interactive   {}", depths.interactive)?;
                    writeln!(out, "bulk          {}", depths.bulk)?;
                    writeln!(out, "retry         {}", depths.retry)?;
                    writeln!(out, "dead letters  {}", depths.dead)?;
                    writeln!(out, "jobs          {}", depths.jobs)?;
                    drop(out);
                    queue.close().await;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
