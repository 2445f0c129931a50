//! Layer bytes to layer inventory: inflate, verify, walk the tar once, extract. Knows no image and no advisory.

pub mod analyze;
pub mod child;
pub mod clock;
pub mod decompress;
pub mod executable;
pub mod extract;
pub mod fingerprint;
pub mod limits;
pub mod malware;
pub mod ruleset;
pub mod sandbox;
pub mod secrets;
#[cfg(test)]
mod seeds;
pub mod serve;
mod sha256;
pub mod signature;
pub mod tar;
mod walk;
