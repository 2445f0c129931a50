//! Everything that touches the outside: image sources, queues, caches and stores.

pub mod cache;
#[cfg(feature = "mutants")]
pub mod mutant;
pub mod queue;
pub mod source;
pub mod store;
