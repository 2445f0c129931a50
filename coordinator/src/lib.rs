//! Layer inventories to reports: plan, compose, match, policy. Opens no layer; only `local` names the worker.

pub mod compose;
