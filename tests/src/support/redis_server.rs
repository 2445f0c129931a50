//! Debian's `redis-server`, and `redis-cli` to speak with it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::docker_registry::self_signed;
use super::private_ca::PrivateCa;
use super::process::{Server, free_address, run};

/// How a server is started, beyond what all have.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// More of its command line, such as `--maxmemory 3mb`.
    pub arguments: Vec<String>,
    /// An access list; [`RedisServer::command`] is then run as [`ADMIN`], which is added to it.
    pub acl: Option<String>,
    /// Whether it speaks TLS, and nothing else, with a certificate that nobody has signed.
    pub tls: bool,
    /// Who has signed its certificate, where it speaks TLS with one that somebody has.
    pub authority: Option<Arc<PrivateCa>>,
}

impl RedisOptions {
    /// With these words more on the command line.
    pub fn with(words: &[&str]) -> Self {
        Self { arguments: words.iter().map(|word| (*word).to_owned()).collect(), ..Self::default() }
    }
}

/// The user of the tests themselves, where there is an access list.
pub const ADMIN: &str = "admin";
const ADMIN_PASSWORD: &str = "admin-of-the-tests";

/// A server of its own, on a free port. Nothing is ever written to a disk: it starts empty each time.
#[derive(Debug)]
pub struct RedisServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// The certificate to trust, where it speaks TLS.
    pub certificate: Option<PathBuf>,
    options: RedisOptions,
    // Dropped in this order: the process, then what it works on.
    server: Option<Server>,
    directory: TempDir,
}

impl RedisServer {
    /// Starts a server; `None`, loudly, where a program for it is missing.
    pub fn start(options: RedisOptions) -> Option<Self> {
        if !has_programs() || options.tls && !super::has_program("openssl") {
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let certificate = match &options.authority {
            Some(authority) => Some(authority.root()),
            None => options.tls.then(|| self_signed(directory.path())),
        };
        if let Some(acl) = &options.acl {
            let text = format!("{acl}\nuser {ADMIN} on >{ADMIN_PASSWORD} ~* &* +@all\n");
            fs::write(directory.path().join("users.acl"), text).expect("an access list");
        }
        let mut server = Self { address: free_address(), certificate, options, server: None, directory };
        let mut last = String::new();
        for _ in 0..5 {
            match server.run() {
                Ok(()) => return Some(server),
                Err(error) => (last, server.address) = (error, free_address()),
            }
        }
        panic!("redis-server does not start: {last}")
    }

    fn run(&mut self) -> Result<(), String> {
        let mut command = Command::new("redis-server");
        let port = self.address.port().to_string();
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]);
        command.args(["--enable-debug-command", "yes", "--daemonize", "no", "--dir"]).arg(self.directory.path());
        match &self.certificate {
            None => command.args(["--port", &port]),
            Some(trusted) => {
                let (certificate, key) = match &self.options.authority {
                    Some(authority) => (authority.certificate(), authority.key()),
                    None => (trusted.clone(), trusted.with_extension("key")),
                };
                command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
                command.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key);
                command.arg("--tls-ca-cert-file").arg(trusted)
            }
        };
        if self.options.acl.is_some() {
            command.arg("--aclfile").arg(self.directory.path().join("users.acl"));
        }
        command.args(&self.options.arguments);
        self.server = Some(Server::start(&mut command, self.address)?);
        Ok(())
    }

    /// The URL of it, for the user `name:password` if one is given.
    pub fn url(&self, user: Option<&str>) -> String {
        let scheme = if self.certificate.is_some() { "rediss" } else { "redis" };
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        format!("{scheme}://{user}{}", self.address)
    }

    /// Ends it at once; what it held is lost.
    pub fn kill9(&mut self) {
        self.server = None;
    }

    /// Starts it again, empty, where it was.
    pub fn restart(&mut self) {
        self.kill9();
        let start = Instant::now();
        while let Err(error) = self.run() {
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server does not start again: {error}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Freezes the process, as a swapping machine or a lost network would.
    pub fn freeze(&self) {
        self.server.as_ref().expect("a running server").signal("STOP");
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.server.as_ref().expect("a running server").signal("CONT");
    }

    /// The id of its process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// Forgets everything.
    pub fn flush(&self) {
        assert_eq!(self.command(&["FLUSHALL"]), "OK");
    }

    /// Runs a command and gives back the answer as `redis-cli` writes it, without the end of line.
    pub fn command(&self, words: &[&str]) -> String {
        let mut command = cli(self.address);
        if let Some(certificate) = &self.certificate {
            command.arg("--tls").arg("--cacert").arg(certificate);
        }
        if self.options.acl.is_some() {
            command.args(["--no-auth-warning", "--user", ADMIN, "--pass", ADMIN_PASSWORD]);
        }
        text(command.args(words))
    }

    /// Runs a command until its answer has `wanted` in it.
    pub fn wait_for(&self, words: &[&str], wanted: &str) {
        wait_until(|| self.command(words), |answer| answer.contains(wanted), &format!("{wanted} in {words:?}"));
    }

    /// A directory of its own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// Whether there is a Redis; loud where not.
pub fn has_programs() -> bool {
    super::has_program("redis-server") && super::has_program("redis-cli")
}

/// `redis-cli` for a server or a Sentinel.
pub(super) fn cli(address: SocketAddr) -> Command {
    let mut command = Command::new("redis-cli");
    command.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command
}

pub(super) fn text(command: &mut Command) -> String {
    String::from_utf8_lossy(&run(command)).trim_end().to_owned()
}

pub(super) fn wait_until(mut ask: impl FnMut() -> String, is_wanted: impl Fn(&str) -> bool, what: &str) {
    let start = Instant::now();
    loop {
        let answer = ask();
        if is_wanted(&answer) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain for {what}; the last answer:\n{answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
