//! Skeleton.
pub mod advisory;
pub mod matching;
