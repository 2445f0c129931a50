//! Matching: packages and advisories in, findings out.

pub mod identity;
