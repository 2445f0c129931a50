//! The command `lazaret-worker`.

use std::process::ExitCode;

use clap::Parser as _;
use lazaret_worker::serve::settings::Settings;
use lazaret_worker::serve::{self, Ended, http};
use tracing_subscriber::EnvFilter;

/// 0: it was told to stop and did; 1: it was told twice; 2: it cannot work.
fn main() -> ExitCode {
    // A child that parses layers is this program, too.
    if let Some(code) = lazaret_worker::child::run_if_asked() {
        return code;
    }
    let settings = Settings::parse();
    let Ok(filter) = EnvFilter::try_new(&settings.log) else {
        return refuse(&"--log: no filter; write for example info or lazaret_worker=debug,warn");
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json().init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    let ended = runtime.block_on(serve::serve(&settings, http::install_metrics().ok()));
    // Whatever still runs belongs to tasks that other workers get.
    runtime.shutdown_background();
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
