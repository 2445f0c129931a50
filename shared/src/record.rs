//! What a worker leaves in the store: the inventory of a layer with what it cost, or why there is none.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::inventory::LayerInventory;
use crate::task::Place;

/// A layer's inventory and what making it cost. The inventory is a function of the layer's bytes and the fingerprint; the
/// cost is of the one run that made it, and enters no report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct LayerRecord {
    /// What the layer contains.
    pub inventory: LayerInventory,
    /// What that took.
    pub cost: Cost,
}

/// What one analysis took. The ledger of a job adds these up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Cost {
    /// The job that asked for it; empty where there was none.
    pub job: String,
    /// Bytes of blobs that came from a registry, aborted attempts within the run included.
    pub bytes: u64,
    /// Requests to registries and token servers.
    pub requests: u64,
    /// CPU time in microseconds, child and parent.
    pub cpu_micros: u64,
}

/// Why a layer could not be analysed. JSON under [`crate::key::failure`].
///
/// It answers the wishes that have its ticket and no other, so it needs no clock and lives no longer than the jobs that
/// wait for it: the next job has a ticket of its own and tries again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRecord {
    /// The ticket of the task that failed.
    pub ticket: String,
    /// What kind of failure.
    pub kind: FailureKind,
    /// In words for a person; the same for the same failure, no time and no address in it.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u16,
    /// What it took nevertheless.
    #[serde(default)]
    pub cost: Cost,
}

/// Whom a failure concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The bytes: they are malformed, or not those that the digest names.
    Layer,
    /// The child that parsed it ran out of time or memory, or crashed.
    Resources,
    /// The blob could not be had from these places; it may be elsewhere.
    Source(Vec<Place>),
    /// It was delivered too often, and nobody lived to say why.
    Abandoned,
}
