//! Everything that touches the outside: image sources, queues, caches and stores.

pub mod cache;
pub mod queue;
pub mod source;
pub mod store;
