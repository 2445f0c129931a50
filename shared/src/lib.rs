//! The vocabulary of lazaret, and its doors to the outside.
//!
//! Nouns live one to a file and touch nothing but memory. Everything that opens a socket, a file or the clock is in
//! [`door`], behind the cargo feature `doors`; without that feature no async runtime is linked.

pub mod digest;
pub mod distro;
#[cfg(feature = "doors")]
pub mod door;
pub mod ecosystem;
pub mod exposure;
pub mod files;
pub mod fingerprint;
pub mod image;
pub mod inventory;
pub mod key;
pub mod manifest;
pub mod pack;
pub mod package;
pub mod path;
pub mod record;
pub mod reference;
pub mod rules;
pub mod task;
#[cfg(feature = "doors")]
pub mod telemetry;
pub mod text;
pub mod wire;
