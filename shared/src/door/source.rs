//! Image sources.

pub mod registry;
