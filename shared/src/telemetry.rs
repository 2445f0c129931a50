//! What a service tells about itself: a log on standard error, metrics for Prometheus, spans for a collector (OTLP).
//!
//! | variable | meaning |
//! |---|---|
//! | `LAZARET_LOG` | what is logged, as [`EnvFilter`] has it (`info`, `lazaret=debug,warn`, …); `info` unless told otherwise |
//! | `LAZARET_LOG_FORMAT` | `text` (the default) or `json`, one object a line |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | where spans go by http/protobuf: the whole address |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the same without `/v1/traces`, where the other is not set |
//!
//! Where an endpoint is set, OpenTelemetry's own `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_TRACES_SAMPLER` and `OTEL_BSP_*` hold too. Where none is, no exporter is started and no span is recorded for one.
//!
//! Nothing here is given a secret; whoever logs a URL logs it redacted. Text from an image may be logged as it is: the log
//! escapes every character that could fool a terminal or a reader.

mod log;
pub mod metrics;
mod trace;

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

pub use trace::{set_parent, traceparent_of_current_span};

/// How long the end of the process waits for the last spans to reach the collector.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// How often samples of histograms are folded into their buckets where nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Which of our services this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `lazaret-worker`.
    Worker,
    /// `lazaret serve`.
    Coordinator,
}

impl Service {
    /// Its name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "lazaret-worker",
            Self::Coordinator => "lazaret-coordinator",
        }
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is told, and where to.
#[derive(Clone)]
pub struct TelemetryOptions {
    /// Who tells it.
    pub service: Service,
    /// The form of the log.
    pub log_format: LogFormat,
    /// What is logged, in the syntax of [`EnvFilter`].
    pub filter: String,
    /// The whole address that spans are posted to; nothing where they go nowhere.
    pub otlp_endpoint: Option<String>,
}

impl fmt::Debug for TelemetryOptions {
    /// Without the endpoint, whose address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, log_format, filter, otlp_endpoint } = self;
        f.debug_struct("TelemetryOptions")
            .field("service", service)
            .field("log_format", log_format)
            .field("filter", filter)
            .field("exports_traces", &otlp_endpoint.is_some())
            .finish()
    }
}

impl TelemetryOptions {
    /// What the environment says; see the table above.
    ///
    /// # Errors
    /// `LAZARET_LOG_FORMAT` is neither `text` nor `json`.
    pub fn from_environment(service: Service) -> Result<Self, TelemetryError> {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let log_format = match variable("LAZARET_LOG_FORMAT").as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(other) => return Err(TelemetryError::Format(other.to_owned())),
        };
        let otlp_endpoint = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| {
            let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT")?;
            Some(format!("{}/v1/traces", base.trim_end_matches('/')))
        });
        let filter = variable("LAZARET_LOG").unwrap_or_else(|| "info".to_owned());
        Ok(Self { service, log_format, filter, otlp_endpoint })
    }
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter of the log is malformed.
    #[error("LAZARET_LOG: `{filter}`: {reason}; write a level, or pairs like lazaret=debug,warn")]
    Filter {
        /// What it is.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log has no such format.
    #[error("LAZARET_LOG_FORMAT: `{0}` is neither text nor json")]
    Format(String),
    /// The exporter of spans does not start.
    #[error("the exporter of traces does not start, check OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Exporter(String),
    /// The process has a log or a recorder already.
    #[error("{0} is set up twice in one process")]
    Twice(&'static str),
}

/// Telemetry, running. Dropping it sends the spans that are left, for three seconds at most; so keep it to the end of
/// `main`.
#[derive(Debug)]
pub struct Telemetry {
    metrics: PrometheusHandle,
    spans: Option<SdkTracerProvider>,
    // The thread of upkeep ends when this goes.
    _upkeep: mpsc::Sender<()>,
}

impl Telemetry {
    /// All metrics, in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        self.metrics.render()
    }

    /// What renders all metrics, for the door that serves them. It may outlive this.
    pub fn renderer(&self) -> impl Fn() -> String + Clone + Send + Sync + 'static + use<> {
        let metrics = self.metrics.clone();
        move || metrics.render()
    }

    /// Sends the spans that are left, waiting three seconds at most. Blocks.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(spans) = self.spans.take() {
            // A collector that is gone costs its spans, and nobody is left to be told.
            let _ = spans.shutdown_with_timeout(LAST_WORDS);
        }
    }
}

/// Sets up the log, the metrics and the traces of this process.
///
/// # Errors
/// The options are malformed, or it was done already.
pub fn init(options: &TelemetryOptions) -> Result<Telemetry, TelemetryError> {
    let Prepared { dispatch, recorder, telemetry } = prepare(options, std::io::stderr)?;
    ::metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::Twice("the recorder of metrics"))?;
    metrics::describe_all();
    tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::Twice("the log"))?;
    Ok(telemetry)
}

/// Telemetry that is not the process's yet.
pub struct Prepared {
    /// Where events and spans go.
    pub dispatch: Dispatch,
    /// Where metrics go.
    pub recorder: PrometheusRecorder,
    /// What renders and ends it.
    pub telemetry: Telemetry,
}

/// What [`init`] sets up, logging to `writer` and touching nothing of the process.
///
/// # Errors
/// The options are malformed.
pub fn prepare<W>(options: &TelemetryOptions, writer: W) -> Result<Prepared, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| TelemetryError::Filter { filter: options.filter.clone(), reason: error.to_string() })?;
    let spans = match &options.otlp_endpoint {
        Some(endpoint) => Some(trace::exporter(options.service, endpoint)?),
        None => None,
    };
    let subscriber = tracing_subscriber::registry()
        .with(spans.as_ref().map(trace::layer))
        .with(log::layer(options.log_format, writer).with_filter(filter));
    let recorder = PrometheusBuilder::new()
        .set_buckets(metrics::BUCKETS)
        .map_err(|error| TelemetryError::Exporter(error.to_string()))?
        .build_recorder();
    let metrics = recorder.handle();
    let _upkeep = keep_up(metrics.clone());
    Ok(Prepared { dispatch: Dispatch::new(subscriber), recorder, telemetry: Telemetry { metrics, spans, _upkeep } })
}

/// Folds samples into buckets now and then, for as long as the sender lives: where nobody scrapes they would pile up.
fn keep_up(metrics: PrometheusHandle) -> mpsc::Sender<()> {
    let (alive, ended) = mpsc::channel();
    let upkeep = move || {
        while ended.recv_timeout(UPKEEP) == Err(RecvTimeoutError::Timeout) {
            metrics.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(upkeep) {
        tracing::warn!(%error, "no thread for the upkeep of metrics; they grow until they are scraped");
    }
    alive
}
