//! The names of objects in store and cache; they hold what the objects depend on.

use crate::digest::Digest;

/// Of a layer inventory, `set` being the fingerprint it was made with.
pub fn layer(blob: &Digest, set: &str) -> String {
    format!("layers/{blob}/{set}")
}

/// Of the record that says why a layer could not be analysed. It is not below the name of the inventory, and it does not
/// outlive the job that meets it: see [`crate::record::FailureRecord`].
pub fn failure(blob: &Digest, set: &str) -> String {
    format!("layers/{blob}/failed-{set}")
}

/// Of an image inventory, `composition` being the version of what composes it.
pub fn image(manifest: &Digest, set: &str, composition: &str) -> String {
    format!("images/{manifest}/{set}-{composition}")
}
