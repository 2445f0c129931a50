//! Servers that tests start on free loopback ports, in directories of their own, and that end with the test; other programs.

use std::path::{Path, PathBuf};

pub mod amqp_fault;
pub mod binary;
pub mod canaries;
pub mod docker_registry;
pub mod farm;
pub mod hostile_registry;
pub mod http;
pub mod http_fault;
pub mod oci_fixture;
pub mod otlp_collector;
pub mod podman;
pub mod private_ca;
pub mod process;
pub mod proxy;
pub mod rabbitmq;
pub mod rabbitmq_cluster;
pub mod redis_farm;
pub mod redis_server;
pub mod s3_server;
#[path = "../../worker/src/secrets/template.rs"]
pub mod template;
pub mod tls_front;
pub mod token_server;

/// A directory in memory, where there is a file system that is: what a disk takes is no part of a figure.
///
/// # Panics
/// There is no directory to be had.
pub fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// All files below a directory, in an order that has nothing to do with what is in them and is the same each time.
pub fn shuffled_files(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut left) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort_by_key(|path| *blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes());
    files
}

/// Whether `program` is there. Where it is not, the test that asked is to be skipped, loudly; on CI (`CI=true`) that is
/// a failure instead.
pub fn has_program(program: &str) -> bool {
    is_there(program, is_in_path(program))
}

/// As [`has_program`], for what infra/set-up does not install: where it is missing that is no failure on CI either.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn has_optional_program(program: &str) -> bool {
    let found = is_in_path(program);
    if !found {
        eprintln!("SKIPPED: {program} is not installed, and infra/set-up does not install it");
    }
    found
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH");
    path.is_some_and(|path| std::env::split_paths(&path).any(|at| at.join(program).is_file()))
}

/// As [`has_program`], for what is looked for elsewhere than in the path.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn is_there(program: &str, found: bool) -> bool {
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed; infra/set-up installs it");
        eprintln!("SKIPPED: {program} is not installed; infra/set-up installs it");
    }
    found
}
