//! A job from its submission to its results, and what it left behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::farm::api::{Api, Job};
use crate::farm::{Farm, FarmError, Left};
use crate::verdict::Verdict;

/// What became of a job.
pub(super) struct Outcome {
    pub(super) job: Job,
    /// From the submission to the end, as the API told it.
    pub(super) took: Duration,
    /// The ids of reports, by reference; an id is the hash of the report's bytes.
    pub(super) reports: BTreeMap<String, String>,
    /// The reports themselves, where they were fetched.
    pub(super) documents: BTreeMap<String, Vec<u8>>,
    /// What went wrong with the others, and with those that are not complete.
    pub(super) complaints: Vec<String>,
}

/// Submits images and waits until all have ended.
pub(super) fn run(api: &Api, images: &[String], class: &str, patience: Duration) -> Result<Outcome, FarmError> {
    let start = Instant::now();
    let id = api.submit(images, class)?.id;
    let job = api.wait(&id, patience)?;
    let took = start.elapsed();
    collect(api, job, took)
}

/// The results of a job that has ended.
pub(super) fn collect(api: &Api, job: Job, took: Duration) -> Result<Outcome, FarmError> {
    let (mut reports, mut complaints) = (BTreeMap::new(), Vec::new());
    for result in api.results(&job.id)? {
        if result.status != "complete" {
            let error = result.error.unwrap_or_default();
            complaints.push(format!("{} is {}: {error}", result.reference, result.status));
        }
        if let Some(report) = result.report
            && let Some(other) = reports.insert(result.reference.clone(), report.clone())
            && other != report
        {
            complaints.push(format!("{} has two reports", result.reference));
        }
    }
    Ok(Outcome { job, took, reports, documents: BTreeMap::new(), complaints })
}

impl Outcome {
    /// With every report fetched.
    pub(super) fn with_documents(mut self, api: &Api) -> Result<Self, FarmError> {
        for (reference, report) in &self.reports {
            self.documents.insert(reference.clone(), api.report(report)?);
        }
        Ok(self)
    }

    /// Whether every one of `images` has a report.
    pub(super) fn check_reports(&self, what: &str, images: &[String], verdict: &mut Verdict) {
        let lost = self.lost(images);
        let first = self.complaints.first().filter(|_| lost > 0).map(|complaint| format!("; {complaint}"));
        let measured = format!("{lost}{}", first.unwrap_or_default());
        let holds = lost == 0 && self.job.status == "done";
        verdict.check(&format!("{what}: images without a report"), "0", measured, holds);
    }

    fn lost(&self, images: &[String]) -> usize {
        images.iter().filter(|image| !self.reports.contains_key(*image)).count()
    }

    /// Whether every one of `images` has a complete report.
    pub(super) fn check(&self, what: &str, images: &[String], verdict: &mut Verdict) {
        let lost = self.lost(images);
        let first = self.complaints.first().map(|complaint| format!("; {complaint}")).unwrap_or_default();
        let holds = lost == 0 && self.complaints.is_empty() && self.job.status == "done";
        let measured = format!("{lost}, {} incomplete{first}", self.complaints.len());
        verdict.check(&format!("{what}: images without a report"), "0, 0 incomplete", measured, holds);
    }
}

/// Checks that queues, claims and dead letters are empty in the end.
pub(super) fn nothing_left(farm: &mut Farm, verdict: &mut Verdict) -> Result<(), FarmError> {
    let left = farm.left_in_the_end()?;
    let measured = if left == Left::default() { "nothing".to_owned() } else { format!("{left:?}") };
    verdict.check("left in queues, dead letters, claims", "nothing", measured, left == Left::default());
    Ok(())
}
