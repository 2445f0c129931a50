//! A RabbitMQ of its own: Debian's, on free loopback ports, with its own node, directories and port mapper.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::private_ca::PrivateCa;
use super::process::{free_address, run};

/// How long a broker may take to start on a machine that is busy with other things.
const STARTING: Duration = Duration::from_secs(120);
/// Waits until its standard input ends, which is when the test's process does, however that happens; then ends broker and
/// port mapper and removes their directory. A static is never dropped, and a test that is killed drops nothing.
const GUARD: &str = r#"read -r _; for pid in $(cat "$0/pid" 2>/dev/null) $(cat "$0/epmd-pid" 2>/dev/null); do kill -9 "$pid"; done; rm -rf "$0""#;

/// A broker that ends with the test.
#[derive(Debug)]
pub struct RabbitMq {
    /// Where it listens.
    pub address: SocketAddr,
    distribution: u16,
    mapper: u16,
    server: Child,
    /// That of the first node where this is one of several.
    epmd: Option<Child>,
    guard: Child,
    directory: TempDir,
}

impl RabbitMq {
    /// Starts a broker; `None`, loudly, where the program for it is missing.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts a broker that speaks TLS too; it, and where it does.
    pub fn start_with_tls(ca: &PrivateCa) -> Option<(Self, SocketAddr)> {
        let address = free_address();
        let configuration = format!(
            "listeners.ssl.1 = {address}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_none\n",
            ca.root().display(),
            ca.certificate().display(),
            ca.key().display()
        );
        Some((Self::start_with(&configuration)?, address))
    }

    fn start_with(configuration: &str) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let mut last = String::new();
        for _ in 0..3 {
            match Self::spawn(free_address(), None, configuration).and_then(|mut broker| broker.wait().map(|()| broker))
            {
                Ok(broker) => return Some(broker),
                Err(error) => last = error,
            }
        }
        panic!("rabbitmq-server does not start: {last}")
    }

    /// Starts a node at `address` with `configuration` more, among those of the port mapper `shared` or alone, and does not
    /// wait for it.
    pub(super) fn spawn(address: SocketAddr, shared: Option<u16>, configuration: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        // The cookie is looked for in the home directory, and has to be the owner's secret.
        fs::create_dir(at("home")).expect("a directory");
        fs::write(at("home/.erlang.cookie"), "lazaret-tests").expect("a cookie");
        run(Command::new("chmod").arg("400").arg(at("home/.erlang.cookie")));
        fs::write(at("rabbitmq.conf"), format!("log.file.level = warning\n{configuration}")).expect("a configuration");
        fs::write(at("plugins"), "[].\n").expect("a list of plugins");
        let distribution = free_address().port();
        let (mapper, epmd) = match shared {
            Some(mapper) => (mapper, None),
            None => {
                let mapper = free_address().port();
                let epmd = start_mapper(mapper)?;
                fs::write(at("epmd-pid"), epmd.id().to_string()).expect("a file");
                (mapper, Some(epmd))
            }
        };
        let guard = Command::new("sh").args(["-c", GUARD]).arg(directory.path()).stdin(Stdio::piped()).spawn();
        let guard = guard.map_err(|error| format!("sh: {error}"))?;
        let server = server(directory.path(), address, distribution, mapper);
        Ok(Self { address, distribution, mapper, server, epmd, guard, directory })
    }

    /// Where to connect, with the credentials that a new broker has.
    pub fn url(&self) -> String {
        self.url_by(self.address)
    }

    /// The same by way of `address`, a proxy.
    pub fn url_by(&self, address: SocketAddr) -> String {
        format!("amqp://guest:guest@{address}/%2f")
    }

    /// Runs `rabbitmqctl`; what it printed, or a panic with what it complained of.
    pub fn rabbitmqctl(&self, arguments: &[&str]) -> String {
        self.try_rabbitmqctl(arguments).unwrap_or_else(|error| panic!("rabbitmqctl {arguments:?}: {error}"))
    }

    /// The same, for a node that may be away.
    pub fn try_rabbitmqctl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(installed("rabbitmqctl"));
        environment(&mut command, self.directory.path(), self.address, self.distribution, self.mapper);
        let output = command.arg("--quiet").args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|error| error.to_string())?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        self.signal("-KILL");
        let _ = self.server.wait();
    }

    /// Starts it again with what is on its disk, and waits until it listens.
    pub fn restart(&mut self) {
        self.server = server(self.directory.path(), self.address, self.distribution, self.mapper);
        self.wait().expect("the broker starts again");
    }

    /// Stops its process without ending it.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// The port of its port mapper.
    pub(super) fn mapper(&self) -> u16 {
        self.mapper
    }

    /// What other nodes call it.
    pub fn node(&self) -> String {
        node(self.address)
    }

    /// The id of its process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.pid()?.parse().ok()
    }

    fn signal(&self, signal: &str) {
        if let Some(pid) = self.pid() {
            // One that has ended already cannot be told anything.
            let _ = Command::new("kill").args([signal, &pid]).stderr(Stdio::null()).status();
        }
    }

    fn pid(&self) -> Option<String> {
        let pid = fs::read_to_string(self.directory.path().join("pid")).ok()?.trim().to_owned();
        (!pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then_some(pid)
    }

    /// Waits until it listens.
    pub(super) fn wait(&mut self) -> Result<(), String> {
        let start = Instant::now();
        while TcpStream::connect_timeout(&self.address, Duration::from_millis(200)).is_err() {
            if let Ok(Some(status)) = self.server.try_wait() {
                return Err(format!("it ended: {status}"));
            }
            if start.elapsed() > STARTING {
                return Err(format!("it does not listen on {}", self.address));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.kill9();
        if let Some(epmd) = &mut self.epmd {
            let _ = epmd.kill();
            let _ = epmd.wait();
        }
        // Its work is done; without its input it would only do it again.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

/// Whether there is a RabbitMQ; loud where not.
pub(super) fn is_there() -> bool {
    installed("rabbitmq-server").is_file() || super::has_program("rabbitmq-server")
}

/// What the node that listens on `address` is called.
pub(super) fn node(address: SocketAddr) -> String {
    format!("lazaret-{}@localhost", address.port())
}

/// A port mapper in the foreground: the one that a broker starts by itself outlives it.
fn start_mapper(port: u16) -> Result<Child, String> {
    let mut epmd = Command::new("epmd");
    epmd.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
    let epmd = epmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    epmd.map_err(|error| format!("epmd: {error}"))
}

/// The program itself. That of the same name in the path is Debian's, which changes the user and knows one broker only.
fn installed(program: &str) -> PathBuf {
    let own = Path::new("/usr/lib/rabbitmq/bin").join(program);
    if own.is_file() { own } else { PathBuf::from(program) }
}

fn server(directory: &Path, address: SocketAddr, distribution: u16, mapper: u16) -> Child {
    // That of an earlier run would be taken for this one's.
    let _ = fs::remove_file(directory.join("pid"));
    let mut command = Command::new(installed("rabbitmq-server"));
    environment(&mut command, directory, address, distribution, mapper);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("rabbitmq-server runs")
}

fn environment(command: &mut Command, directory: &Path, address: SocketAddr, distribution: u16, mapper: u16) {
    let at = |name: &str| directory.join(name);
    command
        .env("HOME", at("home"))
        .env("RABBITMQ_NODENAME", node(address))
        .env("RABBITMQ_NODE_IP_ADDRESS", address.ip().to_string())
        .env("RABBITMQ_NODE_PORT", address.port().to_string())
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("ERL_EPMD_PORT", mapper.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
        .env("RABBITMQ_LOG_BASE", at("log"))
        .env("RABBITMQ_CONF_ENV_FILE", at("none"))
        .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
        .env("RABBITMQ_PID_FILE", at("pid"))
        // Idle schedulers that spin would take the processors from what is tested.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none")
        .current_dir(directory);
}
