//! `lazaret submit`: a job for a farm.

use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lazaret::image::Platform;
use lazaret::task::Class;

use super::farm::{FarmArgs, block_on};
use super::follow::{self, Verdict};
use super::{Failure, image_list, jobs, level};
use crate::farm::Farm;
use crate::matching::Level;
use crate::serve::job::{ALL_PLATFORMS, MAX_IGNORE_FILE, NewJob};

/// Have a farm scan images
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct Submit {
    /// The images, as in a registry
    #[arg(value_name = "IMAGE", required_unless_present = "file")]
    images: Vec<String>,
    /// Submit the images listed in this file too, one on a line; # starts a comment
    #[arg(long, value_name = "LIST")]
    file: Option<PathBuf>,
    /// How urgent it is
    #[arg(long, value_enum, default_value_t)]
    class: ClassName,
    /// Which platform of an image to scan, such as linux/arm64 [default: linux on the farm's architecture]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "all_platforms")]
    platform: Option<Platform>,
    /// Scan every platform of an image
    #[arg(long)]
    all_platforms: bool,
    /// Report findings of these severities only
    #[arg(long, value_delimiter = ',', value_parser = level::parser())]
    severity: Vec<Level>,
    /// Report findings that have a fix only
    #[arg(long)]
    only_fixed: bool,
    /// Look up packages too that a lockfile or manifest declares, installed or not
    #[arg(long)]
    include_declared: bool,
    /// Dismiss secrets that are told by the name of a setting alone, such as password = …
    #[arg(long)]
    no_generic_secrets: bool,
    /// Suppress what this TOML file lists: [[ignore]] id, package and [[allow]] rule, path, value, each with reason, expires
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// Wait for the job and list its results [default on a terminal]
    #[arg(long)]
    wait: bool,
    /// Print the job's id and exit [default elsewhere]
    #[arg(long, conflicts_with_all = ["wait", "fail_on", "fail_on_incomplete"])]
    no_wait: bool,
    #[command(flatten)]
    verdict: Verdict,
    #[command(flatten)]
    farm: FarmArgs,
}

const AFTER: &str = "\
The first line of output is the job's id. Ctrl-C leaves the job running.

Exit status: 0; when waiting, 1 with findings at or over --fail-on; 2 after an error, a failed image or layer, or, with --fail-on-incomplete, a gap; 130 after Ctrl-C.";

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ClassName {
    /// Somebody waits
    Interactive,
    /// Whenever there is nothing urgent
    #[default]
    Bulk,
}

impl Submit {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let job = self.job()?;
        let farm = self.farm.open()?;
        block_on(self.submit(&farm, &job))?
    }

    async fn submit(&self, farm: &Farm, job: &NewJob) -> Result<ExitCode, Failure> {
        let mut interrupts = follow::interrupts()?;
        let job = tokio::select! {
            submitted = farm.submit(job) => submitted.map_err(Failure::new)?,
            _ = interrupts.recv() => return Ok(follow::left_early(farm)),
        };
        let id = job.id.as_str();
        let mut out = io::stdout();
        writeln!(out, "{}", lazaret::text::visible(id))?;
        out.flush()?;
        let terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
        if self.no_wait || !(terminal || self.wait || self.verdict.needs_the_end()) {
            return Ok(ExitCode::SUCCESS);
        }
        jobs::to_its_end(farm, id, &self.verdict, &mut interrupts).await
    }

    fn job(&self) -> Result<NewJob, Failure> {
        let class = match self.class {
            ClassName::Interactive => Class::Interactive,
            ClassName::Bulk => Class::Bulk,
        };
        let platform = match &self.platform {
            Some(platform) => Some(platform.to_string()),
            None => self.all_platforms.then(|| ALL_PLATFORMS.to_owned()),
        };
        let job = NewJob {
            images: image_list::read(&self.images, self.file.as_deref())?,
            class,
            platform,
            only_fixed: self.only_fixed,
            include_declared: self.include_declared,
            no_generic_secrets: self.no_generic_secrets,
            severity: self.severity.clone(),
            ignore_file: self.ignore_file.as_deref().map(read_ignores).transpose()?,
        };
        // What the farm would refuse is said before it is asked.
        let today = jiff::Zoned::now().date().to_string();
        job.checked(&today).map_err(Failure::new)
    }
}

fn read_ignores(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::new(format_args!("cannot read {}: {error}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_IGNORE_FILE as u64 {
        return Err(Failure::new(format_args!("{} is too large for an ignore file", path.display())));
    }
    std::fs::read_to_string(path).map_err(failed)
}
