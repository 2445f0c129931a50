//! A job that is waited for: a bar on a terminal, Ctrl-C that leaves the job alone, and an exit code at the end.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressFinish, ProgressStyle};
use lazaret::text::visible;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::say;
use super::{Failure, level};
use crate::farm::{Farm, Patience, follow};
use crate::matching::Level;
use crate::serve::job::{ImageResult, ImageStatus, JobStatus, JobView};

/// What a shell shows for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What makes a job that has ended an error.
#[derive(Debug, Args)]
pub(super) struct Verdict {
    /// Wait for the job, and exit 1 if there is a finding of this severity or worse
    #[arg(long, value_name = "SEVERITY", value_parser = level::parser())]
    pub(super) fail_on: Option<Level>,
    /// Wait for the job, and exit 2 if anything could not be looked at
    #[arg(long)]
    pub(super) fail_on_incomplete: bool,
}

/// Ctrl-C, from now on.
pub(super) fn interrupts() -> Result<Signal, Failure> {
    signal(SignalKind::interrupt()).map_err(Failure::new)
}

/// Waits for a job, as it was when it had ended.
pub(super) async fn wait(farm: &Farm, id: &str) -> Result<JobView, Failure> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    // However the waiting ends, nothing of the bar stays.
    let bar = bar.with_style(style()).with_finish(ProgressFinish::AndClear);
    // It goes on turning while the farm has nothing to say.
    bar.enable_steady_tick(Duration::from_millis(200));
    let followed = follow(farm, id, Patience::default(), |job| show(&bar, job)).await;
    bar.finish_and_clear();
    followed.map_err(|error| match error.is_transient() {
        true => Failure::new(format_args!("{error}\n{}", back(farm, id))),
        false => Failure::new(error),
    })
}

/// Says how to come back to a job that goes on without us.
pub(super) fn left(farm: &Farm, id: &str) -> ExitCode {
    say(format_args!("{}", back(farm, id)));
    ExitCode::from(INTERRUPTED)
}

/// What to say to whoever ends the program while the farm is being asked to take a job.
pub(super) fn left_early(farm: &Farm) -> ExitCode {
    say(format_args!("the farm may have taken the job: `lazaret jobs --farm {}` lists it then", farm.address()));
    ExitCode::from(INTERRUPTED)
}

fn back(farm: &Farm, id: &str) -> String {
    format!("job {id} goes on; come back to it with: lazaret jobs follow {id} --farm {}", farm.address())
}

fn show(bar: &ProgressBar, job: &JobView) {
    bar.set_length(job.images);
    bar.set_position(job.done);
    bar.set_message(costs(job));
}

/// What the job has cost, in one line.
pub(super) fn costs(job: &JobView) -> String {
    let ledger = &job.ledger;
    let (analysed, reused, pulled) = (ledger.layers_analysed, ledger.layers_reused, HumanBytes(ledger.bytes_pulled));
    format!("{analysed} layers analysed, {reused} reused, {pulled} pulled")
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} images, {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Verdict {
    /// Whether it takes an ended job to tell.
    pub(super) fn needs_the_end(&self) -> bool {
        self.fail_on.is_some() || self.fail_on_incomplete
    }

    /// The exit code that a job and its results deserve: as `lazaret scan` would for the same images.
    pub(super) fn exit_code(&self, job: &JobView, results: &[ImageResult]) -> ExitCode {
        let broken = results.iter().any(|result| match result.status {
            ImageStatus::Failed => true,
            ImageStatus::Incomplete => result.error.is_some() || self.fail_on_incomplete,
            ImageStatus::Complete => false,
        });
        if broken || job.status != JobStatus::Done {
            return ExitCode::from(2);
        }
        let over = |level: Level| {
            let counted = results.iter().flat_map(|result| &result.findings);
            counted.filter(|(_, count)| **count > 0).any(|(name, _)| {
                // A word of a newer farm could be the worst of all.
                Level::ALL.into_iter().find(|known| known.name() == name).is_none_or(|found| found >= level)
            })
        };
        if self.fail_on.is_some_and(over) { ExitCode::from(1) } else { ExitCode::SUCCESS }
    }
}

/// Says how a job ended.
pub(super) fn say_end(job: &JobView) {
    let JobView { id, status, images, failed, incomplete, .. } = job;
    let (id, status) = (visible(id), status.name());
    say(format_args!("job {id} {status}: {images} images, {failed} failed, {incomplete} incomplete; {}", costs(job)));
}
