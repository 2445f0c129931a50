//! The servers of the tests work, so that a failure elsewhere is the failure of what is tested.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use lazaret_tests::support::oci_fixture::{LAYER, OciFixture};
use lazaret_tests::support::podman::Podman;
use lazaret_tests::support::{has_program, process};

#[test]
fn podman_serves_what_was_loaded() {
    if !has_program("skopeo") {
        return;
    }
    let Some(podman) = Podman::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut layout = OciFixture::default();
    // A tar of nothing.
    let tar = vec![0; 1024];
    let image = layout.image("amd64", &[(LAYER.to_owned(), tar.clone(), tar)]);
    layout.tag("latest", &image);
    layout.write(directory.path());
    let archive = directory.path().join("image.tar");
    process::run(
        Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet"])
            .arg(format!("oci:{}:latest", directory.path().display()))
            .arg(format!("docker-archive:{}:tests/loaded:latest", archive.display())),
    );
    podman.load(&archive);

    let mut socket = UnixStream::connect(&podman.socket).unwrap();
    socket.write_all(b"GET /v1.41/images/json HTTP/1.0\r\nHost: d\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("tests/loaded:latest"), "{answer}");
}
