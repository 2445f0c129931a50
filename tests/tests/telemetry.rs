//! What a service tells about itself: spans reach a collector under the parent that a message named, metrics render, the log
//! cannot be used against its reader, and none of it holds up the end of the process.

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lazaret::telemetry::metrics as names;
use lazaret::telemetry::{
    self, LogFormat, Prepared, Service, TelemetryError, TelemetryOptions, set_parent, traceparent_of_current_span,
};
use lazaret_tests::support::otlp_collector::OtlpCollector;
use lazaret_tests::support::process::{free_address, run};
use tracing::dispatcher::with_default;
use tracing::{info, info_span, warn};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the log").clone()).expect("UTF-8")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the log").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn prepare(log_format: LogFormat, filter: &str, otlp_endpoint: Option<String>) -> (Log, Prepared) {
    let log = Log::default();
    let options = TelemetryOptions { service: Service::Worker, log_format, filter: filter.to_owned(), otlp_endpoint };
    let writer = log.clone();
    let prepared = telemetry::prepare(&options, move || writer.clone()).expect("telemetry");
    (log, prepared)
}

const REMOTE_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const REMOTE_SPAN: &str = "b7ad6b7169203331";

#[test]
fn spans_arrive_under_the_parent_that_a_message_names() {
    let collector = OtlpCollector::start();
    // Traces do not depend on what is logged.
    let (log, prepared) = prepare(LogFormat::Text, "error", Some(collector.traces_endpoint()));
    let sent = with_default(&prepared.dispatch, || {
        let layer = info_span!(target: "lazaret_worker", "layer", blob = "sha256:ab", attempt = 2);
        set_parent(&layer, &format!("00-{REMOTE_TRACE}-{REMOTE_SPAN}-01"));
        let _entered = layer.enter();
        info_span!(target: "lazaret_worker::sandbox", "child").in_scope(|| {});
        // Somebody else's span is not ours to tell.
        info_span!(target: "hyper", "foreign").in_scope(|| {});
        traceparent_of_current_span().expect("a trace context to send on")
    });
    prepared.telemetry.shutdown();

    let spans = collector.wait(Duration::from_secs(10), |spans| spans.len() >= 2);
    assert_eq!(spans.len(), 2, "{spans:#?}");
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}: {spans:#?}"));
    let (layer, child) = (named("layer"), named("child"));
    assert_eq!((&*layer.trace_id, &*layer.parent_id), (REMOTE_TRACE, REMOTE_SPAN));
    assert_eq!((&*child.trace_id, &child.parent_id), (REMOTE_TRACE, &layer.span_id));
    assert_eq!(layer.attributes.get("blob").map(String::as_str), Some("sha256:ab"));
    assert_eq!(layer.attributes.get("attempt").map(String::as_str), Some("2"));
    assert_eq!(layer.service, "lazaret-worker");
    assert_eq!(sent, format!("00-{REMOTE_TRACE}-{}-01", layer.span_id));
    assert_eq!(log.text(), "");
}

#[test]
fn a_hostile_trace_context_starts_a_trace_of_its_own() {
    let collector = OtlpCollector::start();
    let (_, prepared) = prepare(LogFormat::Text, "info", Some(collector.traces_endpoint()));
    let endless = format!("00-{REMOTE_TRACE}-{REMOTE_SPAN}-01{}", "-x".repeat(100_000));
    let zero = format!("00-{}-{REMOTE_SPAN}-01", "0".repeat(32));
    let hostile =
        ["", "00", "00---", "\u{1b}[2J", "é".repeat(55).as_str(), zero.as_str(), endless.as_str()].map(str::to_owned);
    with_default(&prepared.dispatch, || {
        for header in &hostile {
            let span = info_span!(target: "lazaret", "layer");
            set_parent(&span, header);
            span.in_scope(|| {});
        }
    });
    prepared.telemetry.shutdown();
    let spans = collector.wait(Duration::from_secs(10), |spans| spans.len() >= hostile.len());
    for span in &spans {
        assert_eq!(span.parent_id, "", "{span:?}");
        assert_ne!(span.trace_id, REMOTE_TRACE, "{span:?}");
    }
}

#[test]
fn a_collector_that_is_gone_does_not_hold_up_the_end() {
    // Nobody listens, and somebody who never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    for address in [free_address(), silent.local_addr().expect("an address")] {
        let (_, prepared) = prepare(LogFormat::Text, "info", Some(format!("http://{address}/v1/traces")));
        with_default(&prepared.dispatch, || {
            for _ in 0..5_000 {
                info_span!(target: "lazaret", "layer").in_scope(|| {});
            }
        });
        let start = Instant::now();
        drop(prepared.telemetry);
        assert!(start.elapsed() <= Duration::from_secs(4), "{:?}", start.elapsed());
    }
}

#[test]
fn it_starts_and_ends_inside_an_async_runtime() {
    let collector = OtlpCollector::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (_, prepared) = prepare(LogFormat::Json, "info", Some(collector.traces_endpoint()));
        with_default(&prepared.dispatch, || info_span!(target: "lazaret", "submit").in_scope(|| {}));
        drop(prepared);
    });
    collector.wait(Duration::from_secs(10), |spans| spans.iter().any(|span| span.name == "submit"));
}

/// Set in a process that runs one test alone: what it asks is about a whole process.
const ALONE: &str = "LAZARET_TEST_ALONE";

#[test]
fn a_process_has_an_exporter_only_with_a_collector_and_is_set_up_once() {
    if std::env::var_os(ALONE).is_none() {
        let own = std::env::current_exe().expect("this test");
        let test = "a_process_has_an_exporter_only_with_a_collector_and_is_set_up_once";
        run(Command::new(own).args(["--exact", test]).env(ALONE, "1"));
        return;
    }
    let exporters = || {
        let threads = std::fs::read_dir("/proc/self/task").expect("threads").flatten();
        let names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
        names.filter(|name| name.starts_with("OpenTelemetry")).count()
    };
    let (log, prepared) = prepare(LogFormat::Text, "info", None);
    with_default(&prepared.dispatch, || {
        let span = info_span!(target: "lazaret", "layer", blob = "sha256:ab");
        set_parent(&span, &format!("00-{REMOTE_TRACE}-{REMOTE_SPAN}-01"));
        let _entered = span.enter();
        assert_eq!(traceparent_of_current_span(), None);
        info!("done");
    });
    assert!(log.text().contains("layer{blob=\"sha256:ab\"}") && log.text().contains("done"), "{}", log.text());
    assert_eq!(exporters(), 0);

    let mut options = TelemetryOptions {
        service: Service::Coordinator,
        log_format: LogFormat::Json,
        filter: "off".to_owned(),
        otlp_endpoint: None,
    };
    let running = telemetry::init(&options).expect("telemetry");
    metrics::counter!(names::RETRIES).increment(1);
    let told = running.metrics();
    assert!(told.contains(&format!("# HELP {} ", names::RETRIES)), "{told}");
    assert_eq!(exporters(), 0);
    options.otlp_endpoint = Some(format!("http://{}/v1/traces", free_address()));
    let prepared = telemetry::prepare(&options, io::stderr).expect("telemetry");
    // A thread names itself when it first runs.
    let patience = Instant::now() + Duration::from_secs(30);
    while exporters() == 0 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(exporters(), 1);
    prepared.telemetry.shutdown();
    assert!(matches!(telemetry::init(&options), Err(TelemetryError::Twice(_))));
}

#[test]
fn control_characters_from_an_image_reach_no_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\u{7f}\r\nINFO all is well\u{e0041}";
    for format in [LogFormat::Text, LogFormat::Json] {
        let (log, prepared) = prepare(format, "info", None);
        with_default(&prepared.dispatch, || {
            let span = info_span!("layer", path = %hostile);
            let _entered = span.enter();
            warn!(package = %hostile, debugged = ?hostile, "read {hostile}");
            info!("next");
        });
        let text = log.text();
        assert_eq!(text.lines().count(), 2, "one line an event: {text:?}");
        assert!(text.ends_with('\n'));
        let deceptive = text.chars().filter(|c| *c != '\n').find(|c| lazaret::text::is_deceptive(*c));
        assert_eq!(deceptive, None, "{text:?}");
        match format {
            LogFormat::Text => assert!(text.contains("\\x1b[2J") && text.contains("\\u{202e}"), "{text:?}"),
            LogFormat::Json => {
                let line = text.lines().next().expect("a line");
                let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
                assert_eq!(event["level"], "WARN");
                let package = event["package"].as_str().expect("a field");
                assert!(package.contains("[2J") && package.contains('\u{e0041}'), "{package:?}");
            }
        }
    }
}

#[test]
fn metrics_render_with_help_and_buckets() {
    let (_, prepared) = prepare(LogFormat::Text, "info", None);
    let (hits, depth, duration) = (names::CACHE_HITS, names::QUEUE_DEPTH, names::LAYER_DURATION);
    metrics::with_local_recorder(&prepared.recorder, || {
        names::describe_all();
        metrics::counter!(hits).increment(3);
        metrics::gauge!(depth, "queue" => "bulk").set(7.0);
        metrics::histogram!(duration).record(0.03);
    });
    let text = prepared.telemetry.metrics();
    for line in [
        format!("# HELP {hits} Wanted inventories that the cache had."),
        format!("# TYPE {hits} counter"),
        format!("{hits} 3"),
        format!("{depth}{{queue=\"bulk\"}} 7"),
        format!("# TYPE {duration} histogram"),
        format!("{duration}_bucket{{le=\"0.025\"}} 0"),
        format!("{duration}_bucket{{le=\"0.05\"}} 1"),
        format!("{duration}_count 1"),
    ] {
        assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
    }
    assert_eq!(prepared.telemetry.renderer()(), text);
}

#[test]
fn malformed_options_say_what_to_do_and_show_no_password() {
    let options = |filter: &str, endpoint: Option<&str>| TelemetryOptions {
        service: Service::Coordinator,
        log_format: LogFormat::Text,
        filter: filter.to_owned(),
        otlp_endpoint: endpoint.map(str::to_owned),
    };
    let refused = telemetry::prepare(&options("lazaret=loud=very", None), io::stderr).err().expect("a refusal");
    assert!(matches!(refused, TelemetryError::Filter { .. }) && refused.to_string().starts_with("LAZARET_LOG: "));
    let secret = options("info", Some("http://me:hunter2@[bad"));
    assert!(!format!("{secret:?}").contains("hunter2"));
    let refused = telemetry::prepare(&secret, io::stderr).err().expect("a refusal").to_string();
    assert!(refused.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !refused.contains("hunter2"), "{refused}");
}
