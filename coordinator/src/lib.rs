//! Skeleton.

pub mod version;
