//! A registry that misbehaves as told, and remembers every header that it is sent: HTTP/1.1 by hand, one request to a
//! connection, one thread to a connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET`, `HEAD`, `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most 64 KiB.
    pub body: Vec<u8>,
}

impl Seen {
    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// First byte of the `Range` header.
    pub fn range_start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// How a body is sent.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// As it should be.
    Whole,
    /// The connection ends after so many bytes.
    Cut(usize),
    /// One byte at a time, with a pause after each.
    Drip(Duration),
    /// With this `Content-Length`, true or not.
    Declared(u64),
    /// Without a `Content-Length`: the body ends with the connection.
    Undeclared,
    /// Endlessly over, without a `Content-Length`.
    Endless,
    /// Nothing at all, not even a status.
    Silence,
    /// Nothing either, for this long, while the connection stays open.
    Hang(Duration),
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
}

impl Reply {
    /// An answer with nothing wrong about it.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body, delivery: Delivery::Whole }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self::new(307, Vec::new()).with("Location", to)
    }

    /// A refusal with a challenge.
    pub fn challenge(challenge: &str) -> Self {
        Self::new(401, Vec::new()).with("WWW-Authenticate", challenge)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Delivers the body in another way.
    #[must_use]
    pub fn by(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// `content` as a good server sends it: from where the request wants it.
    pub fn content(seen: &Seen, content: &[u8]) -> Self {
        match seen.range_start().and_then(|start| Some((start, content.get(start..)?))) {
            Some((start, rest)) if !rest.is_empty() => {
                let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
                Self::new(206, rest.to_vec()).with("Content-Range", &range)
            }
            _ => Self::new(200, content.to_vec()),
        }
    }

    fn send(&self, seen: &Seen, stream: &mut TcpStream) -> std::io::Result<()> {
        match self.delivery {
            Delivery::Silence => return Ok(()),
            Delivery::Hang(time) => {
                thread::sleep(time);
                return Ok(());
            }
            _ => {}
        }
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match self.delivery {
            Delivery::Undeclared | Delivery::Endless => {}
            Delivery::Declared(length) => head += &format!("Content-Length: {length}\r\n"),
            _ => head += &format!("Content-Length: {}\r\n", self.body.len()),
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if seen.method == "HEAD" {
            return Ok(());
        }
        match self.delivery {
            Delivery::Cut(after) => stream.write_all(self.body.get(..after).unwrap_or(&self.body)),
            Delivery::Drip(pause) => self.body.iter().try_for_each(|byte| {
                stream.write_all(&[*byte])?;
                thread::sleep(pause);
                Ok(())
            }),
            Delivery::Endless => loop {
                stream.write_all(&[b' '; 65536])?;
            },
            _ => stream.write_all(&self.body),
        }
    }
}

/// The server.
#[derive(Debug)]
pub struct HostileRegistry {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    ended: Arc<AtomicBool>,
}

impl HostileRegistry {
    /// Starts a server on 127.0.0.1. `answer` gets each request and how many of the same method and path (without
    /// query) came before it.
    pub fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1", answer)
    }

    /// Starts a server on another loopback address, which is another host.
    pub fn start_on(host: &str, answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (seen, ended) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicBool>::default());
        let (log, end, answer) = (Arc::clone(&seen), Arc::clone(&ended), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    let Some(mut stream) = stream.ok() else { return };
                    let Some(request) = receive(&stream) else { return };
                    let before = {
                        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                        let path = |seen: &Seen| seen.target.split('?').next().map(str::to_owned);
                        let same = |seen: &&Seen| seen.method == request.method && path(seen) == path(&request);
                        let before = log.iter().filter(same).count();
                        log.push(request.clone());
                        before
                    };
                    // A client that hangs up is what many of these tests want.
                    let _ = answer(&request, before).send(&request, &mut stream);
                });
            }
        });
        Self { address, seen, ended }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for HostileRegistry {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees that it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

fn receive(stream: &TcpStream) -> Option<Seen> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut reader = BufReader::new(stream.take(1 << 20));
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut seen = Seen { method, target, headers, body: Vec::new() };
    let length: u64 = seen.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length.min(64 << 10)).read_to_end(&mut seen.body).ok()?;
    Some(seen)
}
