//! The commands `lazaret` and `lazaret-worker`, built by the cargo that runs the test.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::process::run;

/// Builds the command, with the release profile if wanted, and says where it is.
///
/// # Panics
/// It does not build.
pub fn lazaret(release: bool) -> PathBuf {
    build("lazaret-coordinator", "lazaret", release)
}

/// Builds the worker, and says where it is: beside `lazaret`.
///
/// # Panics
/// It does not build.
pub fn worker(release: bool) -> PathBuf {
    build("lazaret-worker", "lazaret-worker", release)
}

fn build(package: &str, name: &str, release: bool) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", package, "--bin", name, "--message-format", "json"]);
    if release {
        cargo.arg("--release");
    }
    let messages = run(cargo.current_dir(env!("CARGO_MANIFEST_DIR")));
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    };
    let found = String::from_utf8_lossy(&messages).lines().find_map(executable);
    found.expect("cargo names the executable that it built")
}
