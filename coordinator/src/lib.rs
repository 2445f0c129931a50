//! Layer inventories to reports: plan, compose, match, policy. Opens no layer; only [`local`] names the worker.

pub mod advisory;
pub mod assess;
pub mod cli;
pub mod compose;
pub mod documents;
pub mod doors;
pub mod engine;
pub mod farm;
pub mod inventory;
pub mod local;
pub mod matching;
pub mod pipeline;
pub mod plan;
pub mod policy;
pub mod report;
pub mod serve;
pub mod version;
