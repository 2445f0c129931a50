//! A report: what is known today about one image, for machines (JSON) and people (table).
//!
//! The structs here are the JSON, field by field; `report/schema.json` describes them, and a test holds the two together.
//! Nothing in them comes from a clock, so the same image, snapshot and policy give the same bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lazaret::digest::Digest;
use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::GapKind;
use serde::{Deserialize, Serialize};

pub use exposures::{ExposureRow, ExposureState};

use crate::matching::Level;

pub mod build;
pub mod exposures;
pub mod json;
pub mod purl;
pub mod table;

/// The version of the JSON form, in every report; the number is raised when a reader could be misled, not for new fields.
pub const SCHEMA: &str = "lazaret-report/1";

/// The JSON Schema of a report.
pub const JSON_SCHEMA: &str = include_str!("report/schema.json");

/// Several reports in one document.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reports<'r> {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// One for each image, in the order in which they were asked for, platforms in theirs.
    pub reports: &'r [Report],
}

/// What is known about one image.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: Cow<'static, str>,
    /// Which image.
    pub image: ImageSummary,
    /// The distribution; none where no file names one.
    pub distro: Option<DistroSummary>,
    /// The layers, from the bottom up.
    pub layers: Vec<LayerSummary>,
    /// Installed packages, sorted by ecosystem, name and version.
    pub packages: Vec<PackageRow>,
    /// Packages that a file of the image declares, such as a lockfile, without that anything shows them installed; sorted alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<PackageRow>,
    /// One row for each package and vulnerability, the worst first.
    pub findings: Vec<FindingRow>,
    /// Findings that the policy suppressed, with its reason; never deleted.
    pub suppressed: Vec<SuppressedRow>,
    /// Secrets, malware and dangerous files, the worst first.
    pub exposures: Vec<ExposureRow>,
    /// What looks like one and is known to be none, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dismissed: Vec<ExposureRow>,
    /// Programs and shared objects, and which of them no package accounts for.
    #[serde(default)]
    pub executables: ExecutableSummary,
    /// What could not be told.
    pub gaps: Vec<GapRow>,
    /// What was looked at, and what was not.
    pub coverage: Coverage,
    /// The result in one word.
    pub verdict: Verdict,
}

/// Which image a report is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImageSummary {
    /// What the user typed.
    pub reference: String,
    /// Where it was found: `oci`, `registry`, `docker-daemon`, …
    pub source: Cow<'static, str>,
    /// The digest of its manifest.
    pub digest: Digest,
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// The labels of its configuration.
    pub labels: BTreeMap<String, String>,
    /// The base image, where an annotation names it; otherwise it is unknown.
    pub base: Option<BaseImage>,
}

/// The base image that the annotations `org.opencontainers.image.base.*` name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BaseImage {
    /// Its reference.
    pub name: Option<String>,
    /// The digest of its manifest.
    pub digest: Option<String>,
}

/// The distribution, as os-release names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DistroSummary {
    /// `ID`.
    pub id: String,
    /// `VERSION_ID`.
    pub version_id: String,
    /// `PRETTY_NAME`.
    pub name: String,
    /// `SUPPORT_END`, where the distribution gives it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub support_end: String,
}

/// One layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Its index, 0 at the bottom.
    pub index: u32,
    /// The digest of its blob.
    pub digest: Digest,
    /// What it unpacks to.
    pub diff_id: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// The instruction that made it, from this image's history.
    pub instruction: Option<String>,
    /// Why it failed; then nothing of it is in the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One installed package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageRow {
    /// Its package URL.
    pub purl: String,
    /// Its name.
    pub name: String,
    /// Its version, as its package manager writes it.
    pub version: String,
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// The index of the introducing layer.
    pub layer: u32,
    /// The files that tell of it; what is nested in an archive is written `ARCHIVE!/PATH`.
    pub evidence: Vec<String>,
    /// The OS package that owns those files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The source package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRow>,
    /// The licence as declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The rpm module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where it came from, if not from the ecosystem's public registry, whose advisories then say nothing about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The name under which NVD knows it, where no package manager installed it: CPE 2.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
}

/// A source package.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A package and a vulnerability that affects it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingRow {
    /// The name that most people know it by: a CVE where there is one.
    pub id: String,
    /// Every name and record that was joined, sorted.
    pub ids: Vec<String>,
    /// The package URL of the affected package.
    pub package: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The ecosystem whose advisories say so, as OSV names it.
    pub ecosystem: String,
    /// The name under which they know the package: its source package or origin on a distribution that builds by these.
    pub source: String,
    /// The records that matched.
    pub records: Vec<String>,
    /// What a record about several vulnerabilities covers; no names of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// How bad it is.
    pub severity: SeverityRow,
    /// The package is malware itself: it is to be taken out, not updated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malicious: bool,
    /// The smallest version that fixes it; none where there is no fix.
    pub fixed: Option<String>,
    /// One line about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The index of the layer that brought the package in.
    pub layer: u32,
    /// The instruction that made that layer.
    pub instruction: Option<String>,
    /// The files that tell of the package.
    pub evidence: Vec<String>,
    /// The package is declared, not installed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declared: bool,
}

/// How bad a vulnerability is, and who says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeverityRow {
    /// `critical`, `high`, `medium`, `low`, `negligible` or `unknown`.
    pub level: Level,
    /// The CVSS base score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The CVSS vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
    /// The record that says so, which may be another than the one that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A suppressed finding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuppressedRow {
    /// What would have been a finding.
    #[serde(flatten)]
    pub finding: FindingRow,
    /// Why the policy suppresses it.
    pub reason: String,
    /// Until when, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// Programs and shared objects (ELF) of the finished image, and which of them no package accounts for: copied by hand, or
/// downloaded by a script, so that no advisory speaks of what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutableSummary {
    /// How many there are.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many no package accounts for.
    pub unexplained_files: u64,
    /// The bytes of these.
    pub unexplained_bytes: u64,
    /// Which those are, by path; the 10,000 largest of more.
    pub unexplained: Vec<ExecutableRow>,
}

/// An executable that no package accounts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutableRow {
    /// Where it is.
    pub path: String,
    /// The index of the layer that ships it.
    pub layer: u32,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A gap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GapRow {
    /// Which kind of ignorance.
    pub kind: GapKind,
    /// The index of the layer; none for the whole image.
    pub layer: Option<u32>,
    /// The file; empty for the whole layer.
    pub path: String,
    /// What happened.
    pub reason: String,
}

/// What was looked at, and what was not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// The scanners that ran.
    pub scanners: Vec<Cow<'static, str>>,
    /// Whether everything that they look for was looked at.
    pub complete: bool,
    /// What is known of the distribution.
    pub distro: DistroState,
    /// The advisories that findings were looked up in; none where they were not looked up.
    pub snapshot: Option<SnapshotSummary>,
    /// Packages by ecosystem, and where their advisories were looked up.
    pub ecosystems: Vec<EcosystemCoverage>,
    /// Whether declared packages were looked up like installed ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declared_too: bool,
    /// Software that was recognised, but that no extractor reads yet.
    pub unread: Vec<UnreadForm>,
}

impl Coverage {
    /// Whether this scanner ran.
    pub fn looked_for(&self, scanner: &str) -> bool {
        self.scanners.iter().any(|name| name == scanner)
    }
}

/// What is known of the distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistroState {
    /// An os-release file names it.
    Known,
    /// No layer has an os-release file or the database of an OS package manager: there is nothing to know.
    None,
    /// Some layer has, and yet it is not known.
    Unknown,
}

/// Which advisories.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotSummary {
    /// The BLAKE3 of the snapshot.
    pub digest: String,
    /// When its feeds were fetched, RFC 3339, where that is known.
    pub date: Option<String>,
}

/// The packages of one ecosystem.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EcosystemCoverage {
    /// Which.
    pub ecosystem: Ecosystem,
    /// How many packages of it are installed.
    pub packages: u32,
    /// How many of them belong to OS packages: these are judged by the distribution's advisories alone, since it patches
    /// what it ships without changing the version that upstream's advisories look at.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub owned: u32,
    /// How many are declared, not installed; some may be both.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub declared: u32,
    /// The ecosystems of the snapshot that they were looked up in, as OSV names them; empty where there are none.
    pub advisories: Vec<String>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Software that was recognised, but is not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnreadForm {
    /// Which form.
    pub form: Cow<'static, str>,
    /// How many files of it.
    pub files: u32,
}

/// The result in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything was looked at, and nothing was found.
    Clean,
    /// Everything was looked at, and something was found.
    Findings,
    /// Not everything could be looked at, whatever was found.
    Incomplete,
}
