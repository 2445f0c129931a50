//! Everything that touches the outside: image sources and stores.

pub mod source;
pub mod store;
