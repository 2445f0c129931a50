//! Debian's `docker-registry`, filled with `skopeo`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Server, free_address, run};
use super::token_server::TokenServer;

/// The user that a registry with a door keeper lets in.
pub const USER: &str = "tester";
/// The password of that user: a canary, to be looked for where it must not be.
pub const PASSWORD: &str = "canary-3f1c9a";
/// bcrypt of [`PASSWORD`] at the lowest cost.
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuuU0Aq7oKKsL84pKVpk0of.tFXIEyuNJW";

/// Who may read a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Everybody.
    None,
    /// [`USER`] with [`PASSWORD`], by basic authentication.
    Basic,
    /// [`USER`], by a token of a [`TokenServer`].
    Token,
    /// Anybody, by a token of a [`TokenServer`].
    AnonymousToken,
}

/// What an image becomes on its way into a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The same bytes under the same digests, all platforms.
    AsItIs,
    /// Docker schema 2, of one platform; layers that are not compressed are gzipped.
    Docker,
}

/// A registry of its own, on a free port.
#[derive(Debug)]
pub struct DockerRegistry {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate to trust, where it speaks TLS.
    pub certificate: Option<PathBuf>,
    /// Where its tokens come from.
    pub tokens: Option<TokenServer>,
    keeper: Keeper,
    // Dropped in this order: the process, then what it works on.
    _server: Server,
    _directory: TempDir,
}

impl DockerRegistry {
    /// Starts a registry; `None`, loudly, where the programs for it are missing.
    pub fn start(keeper: Keeper, tls: bool) -> Option<Self> {
        let needs_openssl = tls || matches!(keeper, Keeper::Token | Keeper::AnonymousToken);
        if !super::has_program("docker-registry")
            || !super::has_program("skopeo")
            || needs_openssl && !super::has_program("openssl")
        {
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let tokens = match keeper {
            Keeper::Token => Some(TokenServer::start(Some((USER, PASSWORD)))),
            Keeper::AnonymousToken => Some(TokenServer::start(None)),
            Keeper::None | Keeper::Basic => None,
        };
        let certificate = tls.then(|| self_signed(directory.path()));
        let mut last = String::new();
        for _ in 0..5 {
            let address = free_address();
            let config = config(directory.path(), address, keeper, tokens.as_ref(), certificate.as_deref());
            let path = directory.path().join("config.yml");
            fs::write(&path, config).expect("a configuration");
            let mut command = Command::new("docker-registry");
            command.arg("serve").arg(&path).env("OTEL_TRACES_EXPORTER", "none");
            match Server::start(&mut command, address) {
                Ok(server) => {
                    let (_server, _directory) = (server, directory);
                    return Some(Self { address, certificate, tokens, keeper, _server, _directory });
                }
                Err(error) => last = error,
            }
        }
        panic!("docker-registry does not start: {last}")
    }

    /// Copies `tag` of the OCI layout in `layout` to `repository:tag`.
    pub fn push(&self, layout: &Path, tag: &str, repository: &str, form: Form) {
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"]);
        command.args(match form {
            Form::AsItIs => &["--all", "--preserve-digests"],
            Form::Docker => &["--format", "v2s2"],
        });
        if self.keeper != Keeper::None {
            command.arg(format!("--dest-creds={USER}:{PASSWORD}"));
        }
        command.arg(format!("oci:{}:{tag}", layout.display()));
        command.arg(format!("docker://{}/{repository}:{tag}", self.address));
        run(&mut command);
    }
}

fn config(
    directory: &Path,
    address: SocketAddr,
    keeper: Keeper,
    tokens: Option<&TokenServer>,
    certificate: Option<&Path>,
) -> String {
    let mut yaml = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {0}/data}}, delete: {{enabled: true}}}}\n\
         http:\n  addr: {address}\n",
        directory.display()
    );
    if let Some(certificate) = certificate {
        let key = certificate.with_extension("key");
        yaml += &format!("  tls: {{certificate: {}, key: {}}}\n", certificate.display(), key.display());
    }
    if keeper == Keeper::Basic {
        let passwords = directory.join("htpasswd");
        fs::write(&passwords, format!("{USER}:{BCRYPT}\n")).expect("a password file");
        yaml += &format!("auth: {{htpasswd: {{realm: tests, path: {}}}}}\n", passwords.display());
    }
    if let Some(tokens) = tokens {
        yaml += &format!(
            "auth: {{token: {{realm: \"http://{}/token\", service: tests, issuer: {}, rootcertbundle: {}}}}}\n",
            tokens.address,
            TokenServer::ISSUER,
            tokens.certificate().display()
        );
    }
    yaml
}

/// A certificate for 127.0.0.1 that nobody has signed, with its key beside it.
pub(super) fn self_signed(directory: &Path) -> PathBuf {
    let certificate = directory.join("registry.pem");
    run(Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry.test"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(certificate.with_extension("key"))
        .arg("-out")
        .arg(&certificate));
    certificate
}
