//! The command `lazaret-worker`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use lazaret::telemetry::{self, Service, TelemetryOptions};
use lazaret_worker::serve::settings::Settings;
use lazaret_worker::serve::{self, Ended};

/// 0: it was told to stop and did; 1: it was told twice; 2: it cannot work.
fn main() -> ExitCode {
    // What images hold is in memory: no crash writes it to a disk, and nobody else of this user reads it there.
    let _ = nix::sys::prctl::set_dumpable(false);
    // This executable is also the process that children are forked from.
    if let Some(ended) = lazaret_worker::child::run_if_asked() {
        return ended;
    }
    let settings = Settings::parse();
    let told = match TelemetryOptions::from_environment(Service::Worker).and_then(|options| telemetry::init(&options)) {
        Ok(told) => told,
        Err(error) => return refuse(&error),
    };
    // Layers are analysed in children and hashed on threads of their own; what is left is talk, and a message that wakes
    // another core costs more than it says.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(4));
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    let ended = runtime.block_on(serve::serve(&settings, Some(Arc::new(told.renderer()))));
    // Whatever still runs belongs to tasks that other workers get.
    runtime.shutdown_background();
    told.shutdown();
    match ended {
        Ok(Ended::Drained | Ended::GraceOver) => ExitCode::SUCCESS,
        Ok(Ended::AtOnce) => ExitCode::FAILURE,
        Err(error) => refuse(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the command line says what is wrong with it")]
fn refuse(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
