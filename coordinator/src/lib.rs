//! Skeleton.

pub mod advisory;
pub mod matching;
pub mod version;
