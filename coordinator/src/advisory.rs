//! Advisories: what feeds say about ranges of packages, compiled into one snapshot file.
//!
//! [`feed`] reads one record of a feed, [`source`] finds the records in directories, zip archives and files,
//! [`compile`](compile::compile) puts them into one content-addressed file and [`Snapshot`] answers questions from it.
//! [`update`] is the only part that knows a network or a clock.

pub mod codec;
pub mod compile;
pub mod feed;
pub mod index;
pub mod layout;
pub mod map;
pub mod name;
pub mod record;
pub mod snapshot;
pub mod source;
pub mod update;

pub use compile::{CompileError, Summary, compile};
pub use snapshot::{EcosystemInfo, Snapshot, SnapshotError};
