//! Servers that tests start on free loopback ports, in directories of their own, and that end with the test; other programs.

pub mod binary;
pub mod docker_registry;
pub mod hostile_registry;
pub mod oci_fixture;
pub mod podman;
pub mod process;
pub mod proxy;
pub mod rabbitmq;
pub mod token_server;

/// Whether `program` is there. Where it is not, the test that asked is to be skipped, loudly; on CI (`CI=true`) that is
/// a failure instead.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn has_program(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()));
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed; infra/set-up installs it");
        eprintln!("SKIPPED: {program} is not installed; infra/set-up installs it");
    }
    found
}
