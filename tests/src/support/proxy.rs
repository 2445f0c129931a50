//! A TCP proxy that can be told to fail: cut, fall silent, be slow, or stop after so many bytes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a connection that is silent looks whether it still has to be.
const LOOK: Duration = Duration::from_millis(5);
/// No limit of bytes.
const UNLIMITED: u64 = u64::MAX;

/// Forwards connections to a server, and fails as told.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    server: SocketAddr,
    ended: AtomicBool,
    refusing: AtomicBool,
    silent: AtomicBool,
    latency: AtomicU64,
    /// How many bytes may pass yet, in both directions together.
    left: AtomicU64,
    /// Both ends of each connection.
    connections: Mutex<Vec<(TcpStream, TcpStream)>>,
    accepted: AtomicU64,
}

impl Proxy {
    /// Forwards to `server`.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let faults = Arc::new(Faults {
            server,
            ended: AtomicBool::new(false),
            refusing: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            left: AtomicU64::new(UNLIMITED),
            connections: Mutex::default(),
            accepted: AtomicU64::new(0),
        });
        let accepting = Arc::clone(&faults);
        thread::spawn(move || accepting.accept(&listener));
        Self { address, faults }
    }

    /// Ends all connections, with whatever is on its way. New ones are taken.
    pub fn cut(&self) {
        self.faults.cut();
    }

    /// Ends all connections and every new one, until [`Proxy::resume`].
    pub fn refuse(&self) {
        self.faults.refusing.store(true, Ordering::SeqCst);
        self.faults.cut();
    }

    /// Falls silent: connections stay open and new ones are taken, but no byte passes until [`Proxy::resume`].
    pub fn pause(&self) {
        self.faults.silent.store(true, Ordering::SeqCst);
    }

    /// Holds each piece of data up for so long.
    pub fn delay(&self, latency: Duration) {
        self.faults.latency.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Lets `bytes` pass yet, and swallows the rest while connections stay open, until [`Proxy::resume`].
    pub fn swallow_after(&self, bytes: u64) {
        self.faults.left.store(bytes, Ordering::SeqCst);
    }

    /// Ends all faults. What was held up passes; what was swallowed is gone, so connections are cut if anything was.
    pub fn resume(&self) {
        if self.faults.left.swap(UNLIMITED, Ordering::SeqCst) == 0 {
            self.faults.cut();
        }
        self.faults.latency.store(0, Ordering::SeqCst);
        self.faults.refusing.store(false, Ordering::SeqCst);
        self.faults.silent.store(false, Ordering::SeqCst);
    }

    /// How many connections it has taken.
    pub fn accepted(&self) -> u64 {
        self.faults.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.ended.store(true, Ordering::SeqCst);
        self.faults.cut();
        // Wakes whoever accepts, to see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Faults {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = client else { continue };
            self.accepted.fetch_add(1, Ordering::SeqCst);
            if self.refusing.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(server) = TcpStream::connect(self.server) else { continue };
            // Small frames are to pass as they come.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (from, to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
                let faults = Arc::clone(&self);
                thread::spawn(move || faults.forward(from, to));
            }
            self.connections.lock().unwrap_or_else(PoisonError::into_inner).push((client, server));
        }
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            while self.silent.load(Ordering::SeqCst) && !self.ended.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
            let latency = self.latency.load(Ordering::SeqCst);
            if latency > 0 {
                thread::sleep(Duration::from_millis(latency));
            }
            let allowed = self.take(length);
            if to.write_all(&piece[..allowed]).is_err() {
                break;
            }
        }
        let _ = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
    }

    /// How many of `length` bytes may pass.
    fn take(&self, length: usize) -> usize {
        let wanted = length as u64;
        let take = |left: u64| if left == UNLIMITED { None } else { Some(left.saturating_sub(wanted)) };
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(left) => usize::try_from(left.min(wanted)).unwrap_or(length),
            Err(_) => length,
        }
    }

    fn cut(&self) {
        for (client, server) in self.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Whichever side has closed already needs no more.
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
        }
    }
}
