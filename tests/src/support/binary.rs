//! The programs under test, built by the cargo that runs the test or by the command that ran it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::process::run;

/// Builds the command, with the release profile if wanted, and says where it is.
///
/// # Panics
/// It does not build.
pub fn lazaret(release: bool) -> PathBuf {
    build("lazaret", release)
}

/// Builds the worker, and says where it is: beside `lazaret`.
///
/// # Panics
/// It does not build.
pub fn worker(release: bool) -> PathBuf {
    build("lazaret-worker", release)
}

/// Builds the workspace, as the README's command has done before: a package on its own has fewer features of its dependencies,
/// and half of them would be built once more.
fn build(name: &str, release: bool) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--workspace", "--message-format", "json"]);
    if release {
        cargo.arg("--release");
    }
    let messages = run(cargo.current_dir(env!("CARGO_MANIFEST_DIR")));
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let executable = message["executable"].as_str().filter(|_| message["target"]["name"] == name);
        Some(PathBuf::from(executable?))
    };
    let found = String::from_utf8_lossy(&messages).lines().find_map(executable);
    found.expect("cargo names the executable that it built")
}

/// A program of the build that the test belongs to; the README's command builds the workspace before its tests.
///
/// # Panics
/// It is not built.
pub fn of_this_build(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a program");
    let directory = test.parent().and_then(std::path::Path::parent).expect("a build directory");
    let program = directory.join(name);
    assert!(program.is_file(), "{} is not there: run `cargo build --workspace` first", program.display());
    program
}
