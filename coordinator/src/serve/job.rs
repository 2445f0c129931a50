//! A job as the farm's API writes it: what is submitted, how far it is, and what became of each image. JSON, version 1;
//! a reader passes over fields that it does not know.

use std::collections::BTreeMap;

use lazaret::digest::Digest;
use lazaret::task::Class;
use serde::{Deserialize, Serialize};

use crate::matching::Level;
pub use crate::plan::ledger::Ledger;

mod check;

pub use check::{InvalidJob, MAX_IGNORE_FILE, MAX_IMAGES, MAX_REFERENCE};

/// The schema that this build writes.
pub const SCHEMA: u16 = 1;

/// Images to scan. Whoever takes one looks at it with [`NewJob::checked`] first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewJob {
    /// The images: names as in a registry, with or without `docker://`.
    pub images: Vec<String>,
    /// How urgent it is.
    #[serde(default)]
    pub class: Class,
    /// `os/architecture[/variant]`, or [`ALL_PLATFORMS`]; the coordinator's own architecture if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Whether reports show findings that have a fix only.
    #[serde(default)]
    pub only_fixed: bool,
    /// Whether packages that are declared, not installed, are looked up too.
    #[serde(default)]
    pub include_declared: bool,
    /// Whether secrets that are told by the name of a setting alone are dismissed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_generic_secrets: bool,
    /// The severities that reports show; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Level>,
    /// What to suppress: the text of an ignore file (TOML).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_file: Option<String>,
}

/// The platform that stands for every platform of an image.
pub const ALL_PLATFORMS: &str = "all";

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// [`SCHEMA`].
    pub schema: u16,
    /// Its id.
    pub id: String,
    /// How urgent it is.
    pub class: Class,
    /// What is happening to it.
    pub status: JobStatus,
    /// When it was submitted, RFC 3339.
    pub submitted: String,
    /// The name of the token that submitted it.
    pub by: String,
    /// How many images it has.
    pub images: u64,
    /// How many of them have ended, in whatever way.
    pub done: u64,
    /// How many of those have no report.
    pub failed: u64,
    /// How many of those have a report that does not cover everything.
    pub incomplete: u64,
    /// What it has cost so far.
    pub ledger: Ledger,
    /// The advisory snapshot that its reports are made with: its BLAKE3.
    pub snapshot: Option<String>,
}

/// What is happening to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobStatus {
    /// Nobody has begun it.
    Queued,
    /// Some of its images may have ended.
    Running,
    /// Each of its images has ended.
    Done,
    /// It was cancelled; images that had ended by then keep their reports.
    Cancelled,
    /// It ended for a reason that concerns all of it.
    Failed,
}

impl JobStatus {
    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }

    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What became of one image of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageResult {
    /// What was submitted.
    pub reference: String,
    /// How it ended.
    pub status: ImageStatus,
    /// The digest of its manifest, where it was resolved.
    pub digest: Option<Digest>,
    /// `os/architecture[/variant]`, where that is known.
    pub platform: Option<String>,
    /// The id of its report: the report's BLAKE3, 64 hexadecimal digits.
    pub report: Option<String>,
    /// How many findings it has of each severity; none that is zero.
    pub findings: BTreeMap<String, u64>,
    /// Why it has no report, or which of its layers failed.
    pub error: Option<String>,
}

/// How an image ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageStatus {
    /// Everything was looked at.
    Complete,
    /// It has a report, but not everything could be looked at; where a layer failed, `error` says so.
    Incomplete,
    /// It has no report.
    Failed,
}

impl ImageStatus {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}

/// One thing that happened in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEvent {
    /// The job changed; this is what it is now.
    Job(JobView),
    /// An image ended.
    Image(ImageResult),
}

/// Some jobs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPage {
    /// [`SCHEMA`].
    pub schema: u16,
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// What to pass as `after` for the next ones; none after the oldest job.
    pub next: Option<String>,
}

/// Some results of a job, in the order in which its images ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPage {
    /// [`SCHEMA`].
    pub schema: u16,
    /// The results.
    pub results: Vec<ImageResult>,
    /// What to pass as `after` for the next ones; none where there are none yet.
    pub next: Option<usize>,
}
