//! The farm's service: jobs come in over HTTP, reports go out.

pub mod api;
pub mod job;
pub mod jobs;
