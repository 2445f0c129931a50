//! A collector of traces: takes OTLP over http/protobuf on a free loopback port, and remembers the spans.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;

/// The largest export that is taken.
const MAX_BODY: usize = 16 << 20;

/// One span that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// `service.name` of whoever sent it.
    pub service: String,
    /// The trace it belongs to, in hex.
    pub trace_id: String,
    /// Its own id, in hex.
    pub span_id: String,
    /// The id of the span above it, in hex; empty at the root.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// Its attributes, those of them that are a plain value.
    pub attributes: BTreeMap<String, String>,
}

/// A running collector. It ends with the process; nothing of it outlives its last connection but a listening thread.
#[derive(Debug)]
pub struct OtlpCollector {
    /// Where it listens.
    pub address: SocketAddr,
    arrived: Arc<Arrived>,
}

#[derive(Debug, Default)]
struct Arrived {
    spans: Mutex<Vec<Span>>,
    more: Condvar,
}

impl OtlpCollector {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let arrived = Arc::new(Arrived::default());
        let shared = Arc::clone(&arrived);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let arrived = Arc::clone(&shared);
                std::thread::spawn(move || serve(connection, &arrived));
            }
        });
        Self { address, arrived }
    }

    /// What to set `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` to.
    pub fn traces_endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    /// The spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.arrived.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `enough` says so of the spans so far, and returns them.
    ///
    /// # Panics
    /// It has not said so within `limit`.
    pub fn wait(&self, limit: Duration, enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let end = Instant::now() + limit;
        let mut spans = self.arrived.spans.lock().unwrap_or_else(PoisonError::into_inner);
        while !enough(&spans) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not enough after {limit:?}: {spans:#?}");
            spans = self.arrived.more.wait_timeout(spans, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        spans.clone()
    }
}

/// Answers the requests of one connection, until it ends or says something that is no OTLP.
fn serve(connection: TcpStream, arrived: &Arrived) {
    let Ok(mut answers) = connection.try_clone() else { return };
    let mut reader = BufReader::new(connection);
    while let Some((target, body)) = request(&mut reader) {
        let status = match ExportTraceServiceRequest::decode(&*body) {
            Ok(export) if target == "/v1/traces" => {
                arrived.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans(export));
                arrived.more.notify_all();
                "200 OK"
            }
            Ok(_) => "404 Not Found",
            Err(_) => "400 Bad Request",
        };
        // An empty ExportTraceServiceResponse is no bytes at all.
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
        if answers.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request: its target and its body.
fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.strip_prefix("POST ")?.split(' ').next()?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok().filter(|length| *length <= MAX_BODY)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((target, body))
}

fn spans(export: ExportTraceServiceRequest) -> Vec<Span> {
    let mut found = Vec::new();
    for resource in export.resource_spans {
        let about = plain(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let service = about.get("service.name").cloned().unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            found.push(Span {
                service: service.clone(),
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_id: hex(&span.parent_span_id),
                name: span.name,
                attributes: plain(span.attributes),
            });
        }
    }
    found
}

fn plain(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let value = |value: Option<AnyValue>| match value?.value? {
        Value::StringValue(text) => Some(text),
        Value::BoolValue(truth) => Some(truth.to_string()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    };
    attributes.into_iter().filter_map(|attribute| Some((attribute.key, value(attribute.value)?))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
