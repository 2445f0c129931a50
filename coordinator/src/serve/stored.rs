//! What the store keeps of a job, and under which names.
//!
//! ```text
//! jobs/index/<id>             of every job: what is shown of it, its images aside; ids sort from the newest to the oldest
//! jobs/open/<id>              of every job that has not ended
//! jobs/plan/<id>              what was submitted, and the snapshot it is judged with; never modified
//! jobs/state/<id>             how far it is; written by its owner
//! jobs/cancel/<id>            somebody wants it to end
//! jobs/results/<id>/<n>-<who> what became of some of its images, in the order in which they ended
//! reports/<blake3>            a report, compressed; the hash is that of the JSON
//! latest/<blake3>             of each reference and platform: its newest report
//! exposed/<fingerprint>/<blake3> of each reference and platform whose newest report tells a value of this fingerprint
//! advisories/<blake3>         a snapshot
//! ```

use lazaret::digest::Digest;
use lazaret::task::Class;
use serde::{Deserialize, Serialize};

use super::job::{ImageResult, JobStatus, JobView, NewJob, SCHEMA};
use crate::plan::ledger::Ledger;
use crate::report::SnapshotSummary;

/// A job as it was submitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) schema: u16,
    pub(super) id: String,
    /// Later jobs have higher numbers; a pointer that a later job wrote is left alone.
    pub(super) sequence: u64,
    pub(super) submitted: String,
    pub(super) by: String,
    pub(super) job: NewJob,
    /// W3C trace context of the submission.
    #[serde(default)]
    pub(super) trace: Option<String>,
    /// What its reports are made with, whoever makes them.
    pub(super) snapshot: Option<SnapshotSummary>,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) schema: u16,
    pub(super) status: JobStatus,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) incomplete: u64,
    pub(super) ledger: Ledger,
}

impl State {
    pub(super) fn new(status: JobStatus) -> Self {
        Self { schema: SCHEMA, status, done: 0, failed: 0, incomplete: 0, ledger: Ledger::default() }
    }
}

/// What is shown of a plan, which may name a hundred thousand images: all but these.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) schema: u16,
    pub(super) id: String,
    pub(super) class: Class,
    pub(super) submitted: String,
    pub(super) by: String,
    pub(super) images: u64,
    pub(super) snapshot: Option<String>,
}

impl Plan {
    /// Without its images.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            schema: SCHEMA,
            id: self.id.clone(),
            class: self.job.class,
            submitted: self.submitted.clone(),
            by: self.by.clone(),
            images: self.job.images.len() as u64,
            snapshot: self.snapshot.as_ref().map(|snapshot| snapshot.digest.clone()),
        }
    }
}

impl Summary {
    /// What the API shows.
    pub(super) fn view(&self, state: &State) -> JobView {
        JobView {
            schema: SCHEMA,
            id: self.id.clone(),
            class: self.class,
            status: state.status,
            submitted: self.submitted.clone(),
            by: self.by.clone(),
            images: self.images,
            done: state.done,
            failed: state.failed,
            incomplete: state.incomplete,
            ledger: state.ledger,
            snapshot: self.snapshot.clone(),
        }
    }
}

/// Some results, each with the index of its reference in the plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) schema: u16,
    pub(super) results: Vec<(u32, ImageResult)>,
}

/// Which report on an image is the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latest {
    pub(super) schema: u16,
    pub(super) reference: String,
    pub(super) digest: Digest,
    pub(super) report: String,
    /// Of the job that wrote it.
    pub(super) sequence: u64,
}

/// Whether a text from outside is the id of a job: then it may be part of a key.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 30 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-')
}

/// A new id, of a job submitted `millis` after 1970: later ones sort first. The rest of it cannot be guessed.
pub(super) fn new_id(millis: u64) -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    const LAST: u64 = (1 << 52) - 1;
    let random = RandomState::new().build_hasher().finish();
    format!("{:013x}-{random:016x}", LAST - millis.min(LAST))
}

pub(super) fn index(id: &str) -> String {
    format!("jobs/index/{id}")
}

pub(super) fn open(id: &str) -> String {
    format!("jobs/open/{id}")
}

pub(super) fn plan(id: &str) -> String {
    format!("jobs/plan/{id}")
}

pub(super) fn state(id: &str) -> String {
    format!("jobs/state/{id}")
}

pub(super) fn cancel(id: &str) -> String {
    format!("jobs/cancel/{id}")
}

/// Below which the results of a job are.
pub(super) fn results(id: &str) -> String {
    format!("jobs/results/{id}/")
}

pub(super) fn report(id: &str) -> String {
    format!("reports/{id}")
}

pub(super) fn latest(reference: &str, platform: &str) -> String {
    format!("latest/{}", of_image(reference, platform))
}

/// Below which the images are that expose a value.
pub(super) fn exposed_by(fingerprint: &str) -> String {
    format!("exposed/{fingerprint}/")
}

pub(super) fn exposed(fingerprint: &str, reference: &str, platform: &str) -> String {
    format!("{}{}", exposed_by(fingerprint), of_image(reference, platform))
}

fn of_image(reference: &str, platform: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(reference.as_bytes());
    hasher.update(&[0]);
    hasher.update(platform.as_bytes());
    hasher.finalize()
}

pub(super) fn advisories(digest: &str) -> String {
    format!("advisories/{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_jobs_sort_first_and_ids_are_told() {
        let (old, new) = (new_id(1_700_000_000_000), new_id(1_700_000_000_001));
        assert!(new < old && is_id(&new) && is_id(&old));
        for text in ["", "..", "a/b", &new[1..], &new.replace('-', "/"), &new.to_uppercase().replace('-', "G")] {
            assert!(!is_id(text), "{text}");
        }
    }
}
