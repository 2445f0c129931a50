//! A proxy in front of an HTTP server that fails as told: one request to a connection, one thread to a connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not passed on; this is the answer: a status, and the code in an S3 error body.
    Answer(u16, &'static str),
    /// It is not passed on; these bytes are the answer.
    Raw(&'static str),
    /// It is passed on after a pause.
    Slow(Duration),
    /// The connection ends before the request is read.
    Reset,
    /// It is passed on, and the connection ends instead of the answer.
    LoseAnswer,
    /// It is passed on, and the connection ends within the answer.
    CutAnswer,
    /// It is passed on up to the middle of its body, and the connection ends.
    CutRequest,
    /// It is passed on with one bit of its body wrong.
    Corrupt,
    /// It is passed on without its conditions, as a server treats it that knows none.
    NoConditions,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is a PUT with a condition.
    pub fn is_conditional(&self) -> bool {
        self.method == "PUT" && (self.header("if-match").is_some() || self.header("if-none-match").is_some())
    }
}

/// Chooses what happens to a request; the number counts them from 0.
type Choose = dyn Fn(&Request, usize) -> Option<Fault> + Send + Sync;

/// A running proxy.
pub struct HttpFault {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    ended: Arc<AtomicBool>,
}

impl HttpFault {
    /// Starts a proxy to `server`.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start(
        server: SocketAddr,
        choose: impl Fn(&Request, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (seen, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (own_seen, own_ended, choose): (_, _, Arc<Choose>) =
            (Arc::clone(&seen), Arc::clone(&ended), Arc::new(choose));
        thread::spawn(move || {
            let count = Arc::new(AtomicUsize::new(0));
            for client in listener.incoming() {
                if own_ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(client) = client else { continue };
                let (seen, count, choose) = (Arc::clone(&own_seen), Arc::clone(&count), Arc::clone(&choose));
                // A connection that ends is what this proxy is for.
                thread::spawn(move || drop(handle(client, server, &*choose, &count, &seen)));
            }
        });
        Self { address, seen, ended }
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for HttpFault {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn handle(
    client: TcpStream,
    server: SocketAddr,
    choose: &Choose,
    count: &AtomicUsize,
    seen: &Mutex<Vec<Request>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let Some(request) = head(&mut reader)? else { return Ok(()) };
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let fault = choose(&request, count.fetch_add(1, Ordering::Relaxed));
    if fault == Some(Fault::Reset) {
        return Ok(());
    }
    let body = body(&request, &mut reader, &client)?;
    match fault {
        Some(Fault::Answer(status, code)) => return (&client).write_all(error(&request, status, code).as_bytes()),
        Some(Fault::Raw(answer)) => return (&client).write_all(answer.as_bytes()),
        Some(Fault::Slow(pause)) => thread::sleep(pause),
        _ => {}
    }
    let answer = forward(&request, body, server, fault)?;
    match fault {
        Some(Fault::LoseAnswer) => Ok(()),
        Some(Fault::CutAnswer) => (&client).write_all(&answer[..answer.len() - answer.len().min(20)]),
        _ => (&client).write_all(&answer),
    }
}

fn head(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Some(Request { method, target, headers }))
}

fn body(request: &Request, reader: &mut BufReader<TcpStream>, mut client: &TcpStream) -> io::Result<Vec<u8>> {
    if request.header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    Ok(body)
}

fn error(request: &Request, status: u16, code: &str) -> String {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>");
    let body = if request.method == "HEAD" { "" } else { &body };
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn forward(request: &Request, mut body: Vec<u8>, server: SocketAddr, fault: Option<Fault>) -> io::Result<Vec<u8>> {
    if let (Some(Fault::Corrupt), Some(byte)) = (fault, body.last_mut()) {
        *byte ^= 1;
    }
    let dropped = |name: &str| {
        matches!(name, "connection" | "expect")
            || fault == Some(Fault::NoConditions) && matches!(name, "if-match" | "if-none-match")
    };
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| !dropped(name)) {
        text += &format!("{name}: {value}\r\n");
    }
    text += "connection: close\r\n\r\n";
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(text.as_bytes())?;
    if fault == Some(Fault::CutRequest) {
        // What is left of it never comes: the server sees its connection end.
        upstream.write_all(&body[..body.len() / 2])?;
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    Ok(answer)
}
