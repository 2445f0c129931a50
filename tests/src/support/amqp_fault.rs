//! A proxy before a broker that keeps deliveries for itself: to the broker they are with a consumer, who never hears of them.
//! That is what a broker's own bug looks like which forgets whose a delivery is.

use std::collections::HashMap;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a frame starts with: type, channel, length.
const HEAD: usize = 7;
/// Types of frames.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
/// `basic.deliver`: class 60, method 60.
const DELIVER: &[u8] = &[0, 60, 0, 60];

/// A running proxy.
#[derive(Debug)]
pub struct AmqpFault {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    /// Deliveries of the queue of this name are kept, so many of them yet.
    queue: String,
    left: AtomicUsize,
    kept: AtomicUsize,
    ended: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl AmqpFault {
    /// Forwards to `server`, except for the first `count` deliveries of what was published to `queue`.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start(server: SocketAddr, queue: &str, count: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            server,
            queue: queue.to_owned(),
            left: AtomicUsize::new(count),
            kept: AtomicUsize::default(),
            ended: AtomicBool::default(),
            connections: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that ends is no trouble of the proxy's.
                let _ = client.and_then(|client| accepting.connect(client));
            }
        });
        Self { address, shared }
    }

    /// How many deliveries it has kept.
    pub fn kept(&self) -> usize {
        self.shared.kept.load(Ordering::SeqCst)
    }
}

impl Drop for AmqpFault {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for socket in self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
        // Wakes whoever accepts, to see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(client.try_clone()?);
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let _ = shared.forward(&server, &client);
            let _ = client.shutdown(Shutdown::Both);
        });
        Ok(())
    }

    /// Passes on what the broker says, frame by frame.
    fn forward(&self, server: &TcpStream, mut client: &TcpStream) -> io::Result<()> {
        let mut server = BufReader::new(server);
        // By channel: how much of the body of a delivery that is kept is yet to come; nothing before its header.
        let mut keeping: HashMap<[u8; 2], Option<u64>> = HashMap::new();
        loop {
            let mut frame = vec![0; HEAD];
            server.read_exact(&mut frame)?;
            let (kind, channel) = (frame[0], [frame[1], frame[2]]);
            let length = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]) as usize;
            // With the byte that ends it.
            frame.resize(HEAD + length + 1, 0);
            server.read_exact(&mut frame[HEAD..])?;
            let payload = &frame[HEAD..HEAD + length];
            let left = match (kind, keeping.get(&channel)) {
                (METHOD, _) if self.keeps(payload) => Some(None),
                (HEADER, Some(None)) => {
                    Some(payload.get(4..12).map(|size| size.iter().fold(0, |n, b| n << 8 | u64::from(*b))))
                }
                (BODY, Some(Some(left))) => Some(Some(left.saturating_sub(length as u64))),
                _ => None,
            };
            match left {
                None => client.write_all(&frame)?,
                Some(Some(0)) => drop(keeping.remove(&channel)),
                Some(left) => drop(keeping.insert(channel, left)),
            }
        }
    }

    /// Whether this is the start of a delivery that is kept: it ends with the routing key, here the name of the queue.
    fn keeps(&self, method: &[u8]) -> bool {
        let is_ours = method.starts_with(DELIVER) && method.ends_with(self.queue.as_bytes());
        let keeps =
            is_ours && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        self.kept.fetch_add(usize::from(keeps), Ordering::SeqCst);
        keeps
    }
}
