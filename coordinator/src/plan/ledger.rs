//! What a job costs: counted once for each distinct layer, from what the workers wrote into the layers' records.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use lazaret::record::LayerRecord;
use lazaret::task::TaskId;
use lazaret::telemetry::metrics as names;
use serde::{Deserialize, Serialize};

/// On whose behalf layers are wanted.
#[derive(Debug, Default)]
pub struct Job {
    /// Its id; at most 64 characters.
    pub id: String,
    /// W3C trace context, for the spans of workers.
    pub trace: Option<String>,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    layers: HashSet<TaskId>,
    ledger: Ledger,
}

/// Sums of a job. They add up to what registries and workers counted, as long as no worker dies in the middle of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Bytes of layers that workers pulled for this job.
    pub bytes_pulled: u64,
    /// Distinct layers that were analysed for this job.
    pub layers_analysed: u64,
    /// Distinct layers that were known already, or were analysed for another job meanwhile.
    pub layers_reused: u64,
    /// Distinct layers that failed.
    pub layers_failed: u64,
    /// CPU time of the analyses, in microseconds.
    pub cpu_micros: u64,
    /// Requests to registries.
    pub requests: u64,
    /// Images whose inventory was known already: none of their layers was looked at.
    pub images_recalled: u64,
}

impl Job {
    /// A job that has cost nothing yet.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// The sums so far.
    pub fn ledger(&self) -> Ledger {
        self.counted().ledger
    }

    /// Goes on from these sums, after another coordinator.
    pub fn resume(&self, ledger: Ledger) {
        self.counted().ledger = ledger;
    }

    /// Counts requests that the coordinator itself made.
    pub fn count_requests(&self, requests: u64) {
        metrics::counter!(names::REGISTRY_REQUESTS).increment(requests);
        self.counted().ledger.requests += requests;
    }

    /// Counts an image that was recalled whole.
    pub fn count_recalled(&self) {
        self.counted().ledger.images_recalled += 1;
    }

    pub(super) fn count(&self, id: TaskId, record: &LayerRecord) {
        let mut counted = self.counted();
        if !counted.layers.insert(id) {
            return;
        }
        let ledger = &mut counted.ledger;
        let outcome = if record.cost.job == self.id {
            ledger.layers_analysed += 1;
            ledger.bytes_pulled += record.cost.bytes;
            ledger.cpu_micros += record.cost.cpu_micros;
            ledger.requests += record.cost.requests;
            "analysed"
        } else {
            ledger.layers_reused += 1;
            "reused"
        };
        metrics::counter!(names::LAYERS, "outcome" => outcome).increment(1);
    }

    pub(super) fn count_failure(&self, id: TaskId) {
        let mut counted = self.counted();
        if counted.layers.insert(id) {
            counted.ledger.layers_failed += 1;
            metrics::counter!(names::LAYERS, "outcome" => "failed").increment(1);
        }
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
