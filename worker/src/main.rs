//! The command `lazaret-worker`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use lazaret::telemetry::{self, Service, TelemetryOptions};
use lazaret_worker::serve::settings::Settings;
use lazaret_worker::serve::{self, Ended};

/// 0: it was told to stop and did; 1: it was told twice; 2: it cannot work.
fn main() -> ExitCode {
