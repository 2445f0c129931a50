//! `lazaret scan`: images in, reports out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use lazaret::door::source::PlatformChoice;
use lazaret::door::store::{self, SharedStore};
use lazaret::exposure::IdentityKey;
use lazaret::image::Platform;

use super::progress::Shown;
use super::registry::RegistryArgs;
use super::searching::{self, SearchArgs};
use super::{Failure, image_list, output, settings};
use crate::advisory::update;
use crate::engine::Engine;
use crate::matching::Level;
use crate::pipeline::Progress;
use crate::policy::{self, Allow, Ignores, Policy};
use crate::report::build::Scanner;
use crate::report::{Report, Reports, SCHEMA, table};

mod advisories;
mod sample;
mod source;

use sample::Sample;

/// Scan images
#[derive(Debug, Args)]
#[command(after_long_help = REFERENCES)]
pub(super) struct Scan {
    /// The images: a name, a path, a transport such as oci:PATH:TAG, or - for an archive on standard input; without any,
    /// a small built-in sample image
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    /// Scan the images listed in this file too, one on a line; # starts a comment
    #[arg(long, value_name = "LIST")]
    file: Option<PathBuf>,
    /// How to write the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write the report to this file, which is replaced
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to look for
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ScannerName::Packages, ScannerName::Vuln, ScannerName::Secret, ScannerName::Malware])]
    scanners: Vec<ScannerName>,
    /// Show findings of these severities only
    #[arg(long, value_enum, value_delimiter = ',')]
    severity: Vec<LevelName>,
    /// Exit 1 if there is a finding or an exposure of this severity or worse
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// Exit 2 if anything could not be looked at
    #[arg(long)]
    fail_on_incomplete: bool,
    /// Show findings that have a fix only
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
    /// Which platform of an image to scan, such as linux/arm64 [default: linux on this machine's architecture]
    #[arg(long, value_name = "OS/ARCH", conflicts_with = "all_platforms")]
    platform: Option<Platform>,
    /// Scan every platform of an image
    #[arg(long)]
    all_platforms: bool,
    /// Where inventories are kept: file:PATH, or memory: to keep nothing [default: file: below the user's cache directory]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The advisory snapshot, or the directory that has one [default: below the user's data directory]
    #[arg(long, value_name = "FILE")]
    advisories: Option<PathBuf>,
    /// Where advisories that are missing are fetched from: a mirror's URL, or a directory [default: OSV's public bucket]
    #[arg(long, value_name = "URL|DIR", conflicts_with = "offline")]
    advisories_from: Option<String>,
    /// Use no network but what the image itself needs: fetch no advisories
    #[arg(long)]
    offline: bool,
    /// How many threads to use [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    login: source::LoginArgs,
    #[command(flatten)]
    registry: RegistryArgs,
}

const REFERENCES: &str = "\
Images are written as podman and skopeo write them:
  alpine:3.20                the local engine's image, else the registry's
  docker://HOST/NAME:TAG     a registry's
  docker-daemon:NAME:TAG     the local engine's (docker or podman)
  oci:PATH[:TAG]             an OCI layout in a directory
  oci-archive:PATH[:TAG]     the same in a tar file
  docker-archive:PATH[:NAME] what `docker save` writes
  PATH                       either, recognised by what it is; a directory that is no layout is looked at itself: a root
                             file system, or a source tree (with --include-declared, what its lockfiles name)
  -                          either archive on standard input

Exit status: 0; 1 with findings at or over --fail-on; 2 after an error, a failed layer, or, with --fail-on-incomplete, a gap.";

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// JSON; `lazaret schema` prints what describes it
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScannerName {
    /// Installed packages
    Packages,
    /// Vulnerabilities of installed packages
    Vuln,
    /// Secrets in every layer, deleted and overwritten files too, and in the configuration
    Secret,
    /// Malware in every layer, and in what the configuration runs
    Malware,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelName {
    Critical,
    High,
    Medium,
    Low,
    Negligible,
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Negligible,
    /// Any finding, even of unknown severity
    Unknown,
    /// Never
    #[default]
    None,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Critical => Self::Critical,
            LevelName::High => Self::High,
            LevelName::Medium => Self::Medium,
            LevelName::Low => Self::Low,
            LevelName::Negligible => Self::Negligible,
            LevelName::Unknown => Self::Unknown,
        }
    }
}

impl FailOn {
    /// The least level that fails; nothing does without one.
    fn level(self) -> Option<Level> {
        Some(match self {
            Self::Critical => Level::Critical,
            Self::High => Level::High,
            Self::Medium => Level::Medium,
            Self::Low => Level::Low,
            Self::Negligible => Level::Negligible,
            Self::Unknown => Level::Unknown,
            Self::None => return None,
        })
    }
}

/// Opens the store. One that does not answer is told, and the scan goes on without: it is only slower.
async fn open_store(url: &str) -> Result<SharedStore, Failure> {
    let opened = store::open(url).await.map_err(Failure::new)?;
    match opened.present(&["layers/probe".to_owned()]).await {
        Ok(_) => Ok(opened),
        Err(error) => {
            super::failure::say(format_args!(
                "warning: {error}; nothing known is used from there, and nothing is kept"
            ));
            store::open("memory:").await.map_err(Failure::new)
        }
    }
}

impl Scan {
    pub(super) fn run(mut self) -> Result<ExitCode, Failure> {
        let sample = if self.images.is_empty() && self.file.is_none() { Some(Sample::build()?) } else { None };
        if let Some(sample) = &sample {
            super::failure::say(format_args!("no image given: this is the built-in sample; see `lazaret scan --help`"));
            self.images.push(sample.reference());
            self.store.get_or_insert_with(|| "memory:".to_owned());
            self.advisories.get_or_insert_with(|| sample.snapshot());
            self.offline = true;
        }
        let references = image_list::read(&self.images, self.file.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)?;
        let options = self.login.options(&self.registry, &references, runtime.handle())?;
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global().map_err(Failure::new)?;
        }
        let store = self.store.take().or_else(settings::store_url).unwrap_or_else(|| "memory:".to_owned());
        let opened = runtime.block_on(open_store(&store))?;
        let key = searching::key(&store)?;
        let searching = self.search.open(key.clone())?;
        let policy = self.policy(key)?;
        let choice = match &self.platform {
            Some(platform) => PlatformChoice::Exactly(platform.clone()),
            None if self.all_platforms => PlatformChoice::All,
            None => PlatformChoice::Host,
        };
        let scanners = self.scanners();
        let from = self.advisories_from.take().unwrap_or_else(|| update::default_base().to_owned());
        let from = (!self.offline).then_some(from);
        let mut advisories = advisories::Advisories::new(self.advisories.clone(), from);
        let several = references.len() > 1 || self.all_platforms;
        let mut reports = Vec::new();
        let mut failed = false;
        let progress = Arc::new(Progress::default());
        let name =
            if let [only] = references.as_slice() { only.clone() } else { format!("{} images", references.len()) };
        let shown = Shown::start(&name, Arc::clone(&progress));
        let mut scanned = {
            let _context = runtime.enter();
            Engine::embedded(opened, searching, options, choice, progress).scan(references)
        };
        while let Some((reference, scanned)) = scanned.blocking_recv() {
            match scanned {
                Ok(scanned) => {
                    for (image, inventoried) in scanned {
                        failed |= !inventoried.failed.is_empty();
                        let typed = if sample.is_some() { "sample" } else { &reference };
                        reports.push(advisories.report(typed, &image, &inventoried, &scanners, &policy));
                    }
                }
                Err(error) if several => {
                    failed = true;
                    super::failure::say(format_args!("error: {reference}: {error}"));
                }
                Err(error) => return Err(Failure::new(error)),
            }
        }
        drop(shown);
        if !reports.is_empty() || several {
            match self.write(&reports, several) {
                // Whoever has read enough still learns from the exit code what was found.
                Err(failure) if failure.is_closed_pipe() => {}
                written => written?,
            }
        }
        Ok(self.exit_code(&reports, failed))
    }

    fn policy(&self, key: Option<IdentityKey>) -> Result<Policy, Failure> {
        let ignores = match &self.ignore_file {
            None => Ignores::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Failure::new(format_args!("cannot read {}: {error}", path.display())))?;
                let today = jiff::Zoned::now().date().to_string();
                policy::read_ignores(&text, &today)
                    .map_err(|error| Failure::new(format_args!("{}: {error}", path.display())))?
            }
        };
        let levels = self.severity.iter().map(|&name| name.into()).collect();
        if key.is_none() && ignores.exposures.iter().any(Allow::needs_key) {
            return Err(Failure::new(
                "an [[allow]] entry names a value, which takes an identity key: set LAZARET_IDENTITY_KEY, or keep a store",
            ));
        }
        Ok(Policy {
            levels,
            only_fixed: self.only_fixed,
            include_declared: self.include_declared,
            ignores: ignores.findings,
            allows: ignores.exposures,
            no_generic_secrets: self.no_generic_secrets,
            key,
        })
    }

    /// Looking for vulnerabilities takes looking for packages.
    fn scanners(&self) -> Vec<Scanner> {
        let wanted = |name, scanner| self.scanners.contains(&name).then_some(scanner);
        let more = [
            wanted(ScannerName::Vuln, Scanner::Vuln),
            wanted(ScannerName::Secret, Scanner::Secret),
            wanted(ScannerName::Malware, Scanner::Malware),
        ];
        std::iter::once(Scanner::Packages).chain(more.into_iter().flatten()).collect()
    }

    fn write(&self, reports: &[Report], several: bool) -> Result<(), Failure> {
        output::write(self.output.as_deref(), |out| match (self.format, reports) {
            (Format::Json, [report]) if !several => output::json(out, report),
            (Format::Json, _) => output::json(out, &Reports { schema: SCHEMA, reports }),
            (Format::Table, _) => {
                let style = output::style(self.output.is_some());
                for (index, report) in reports.iter().enumerate() {
                    let blank = if index > 0 { "\n" } else { "" };
                    write!(out, "{blank}{}", table::render(report, style))?;
                }
                Ok(())
            }
        })
    }

    fn exit_code(&self, reports: &[Report], failed: bool) -> ExitCode {
        let incomplete = reports.iter().any(|report| !report.coverage.complete);
        let over = |level: Level| {
            let found = |report: &Report| report.findings.iter().any(|row| row.severity.level >= level);
            let exposed = |report: &Report| report.exposures.iter().any(|row| Level::from(row.severity) >= level);
            reports.iter().any(|report| found(report) || exposed(report))
        };
        if failed || self.fail_on_incomplete && incomplete {
            ExitCode::from(2)
        } else if self.fail_on.level().is_some_and(over) {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }
}
