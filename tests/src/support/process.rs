//! A server process of a test: started, waited for, and ended by its process id.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts `command` and waits until it listens on `address`, or fails with what it said when it ends before that.
    pub fn start(command: &mut Command, address: SocketAddr) -> Result<Self, String> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut server = Self(child.map_err(|error| format!("{command:?}: {error}"))?);
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            if let Ok(Some(status)) = server.0.try_wait() {
                return Err(format!("{command:?} ended: {status}"));
            }
            if start.elapsed() > Duration::from_secs(20) {
                return Err(format!("{command:?} does not listen on {address}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // The port may have been taken by another process in between.
        match server.0.try_wait() {
            Ok(None) => Ok(server),
            _ => Err(format!("{command:?} ended")),
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        run(Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A loopback port that nobody listened on a moment ago, and that nobody is given who does not ask for it: below those that the
/// system hands out by itself, and another one each time.
pub fn free_address() -> SocketAddr {
    const FIRST: u32 = 10_000;
    const PORTS: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Another process begins elsewhere.
    let begin = std::process::id().wrapping_mul(211);
    let mut ports = std::iter::repeat_with(|| {
        let number = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        SocketAddr::from((Ipv4Addr::LOCALHOST, (FIRST + number % PORTS) as u16))
    });
    ports.by_ref().take(PORTS as usize).find(|address| TcpListener::bind(address).is_ok()).expect("a free port")
}

/// Runs a command to its end; what it printed, or a panic with what it complained of.
pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
