//! An authority of a test's own, as a company has one, and a certificate for this machine that it has signed.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::run;

/// The files; they are removed with it.
#[derive(Debug)]
pub struct PrivateCa(TempDir);

impl PrivateCa {
    /// Makes them; `None`, loudly, where there is no openssl.
    pub fn new() -> Option<Self> {
        if !super::has_program("openssl") {
            return None;
        }
        let ca = Self(tempfile::tempdir().expect("a directory"));
        let request = || {
            let mut command = Command::new("openssl");
            command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]).current_dir(ca.0.path());
            command
        };
        run(request().args(["-subj", "/CN=authority.test", "-keyout", "root.key", "-out", "root.pem"]));
        let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
        let signed = ["-subj", "/CN=server.test", "-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"];
        let by = ["-CA", "root.pem", "-CAkey", "root.key", "-keyout", "server.key", "-out", "server.pem"];
        run(request().args(signed).args(by));
        Some(ca)
    }

    /// What clients are to trust.
    pub fn root(&self) -> PathBuf {
        self.0.path().join("root.pem")
    }

    /// What a server shows: it is for 127.0.0.1 and localhost.
    pub fn certificate(&self) -> PathBuf {
        self.0.path().join("server.pem")
    }

    /// The key of that.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("server.key")
    }
}
