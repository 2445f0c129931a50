//! Debian's `podman` as a local engine: its API over a socket, its storage in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::process::run;

/// A podman service; images are loaded into it and can be asked for at `socket`.
#[derive(Debug)]
pub struct Podman {
    /// Its socket, which speaks the API of podman and that of Docker.
    pub socket: PathBuf,
    service: Child,
    directory: TempDir,
}

impl Podman {
    /// Starts the service; `None`, loudly, where podman is missing.
    pub fn start() -> Option<Self> {
        if !super::has_program("podman") {
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("podman.sock");
        let service = podman(directory.path())
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("podman runs");
        let podman = Self { socket, service, directory };
        let start = Instant::now();
        while std::os::unix::net::UnixStream::connect(&podman.socket).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "podman does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(podman)
    }

    /// Loads an archive of `docker save` or an OCI archive.
    pub fn load(&self, archive: &Path) {
        run(podman(self.directory.path()).args(["load", "--quiet", "--input"]).arg(archive));
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

/// podman with its state below `directory`, without the kernel's help for layers.
fn podman(directory: &Path) -> Command {
    let mut command = Command::new("podman");
    command.arg("--root").arg(directory.join("storage")).arg("--runroot").arg(directory.join("run"));
    command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
    command.arg("--tmpdir").arg(directory.join("tmp"));
    command
}
