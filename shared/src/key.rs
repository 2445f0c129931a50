//! The names of objects in store and cache; they hold what the objects depend on.

use crate::digest::Digest;
use crate::task::{Task, TaskId};

/// Of a layer inventory, `set` being the fingerprint it was made with.
pub fn layer(blob: &Digest, set: &str) -> String {
    format!("layers/{blob}/{set}")
}

/// Of the record that says why a task could not be done. It is of the task and not of the layer, and it does not outlive the
/// jobs that wait for it: see [`crate::record::FailureRecord`].
pub fn failure(blob: &Digest, task: &TaskId) -> String {
    format!("layers/{blob}/failed-{task}")
}

/// Below which all image inventories are.
pub const IMAGES: &str = "images/";

/// Of an image inventory, `composition` being the version of what composes it.
pub fn image(manifest: &Digest, set: &str, composition: u32) -> String {
    format!("{IMAGES}{manifest}/{set}-{composition}")
}

/// Of rules that were added, see [`crate::rules::RulesObject`].
pub fn rules(digest: &str) -> String {
    format!("rules/{digest}")
}

/// The claim on a task's layer: the name of what is claimed, and who holds it.
pub fn claim(task: &Task) -> (String, String) {
    (layer(&task.blob.digest, &task.set), task.ticket.clone())
}
