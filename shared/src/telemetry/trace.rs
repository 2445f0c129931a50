//! Spans on their way to a collector, and the trace context (W3C `traceparent`) that travels with messages and requests.

use std::time::Duration;

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::{Service, TelemetryError};

/// How long one export may take. A collector that is gone must not hold up the end of the process.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);
const HEADER: &str = "traceparent";

/// Starts the exporter to `endpoint`. It has a thread of its own and needs no async runtime.
pub(super) fn exporter(service: Service, endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        // The address may hold a password.
        .map_err(|error| TelemetryError::Exporter(error.to_string().replace(endpoint, "the address")))?;
    let resource = Resource::builder()
        .with_service_name(service.name())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The layer that hands our spans to the exporter. Ours alone: spans of the exporter's own connections would never end.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("lazaret"))
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target("lazaret", LevelFilter::INFO))
}

/// The trace context of the current span, for a header of a message or a request. Nothing where spans go nowhere.
pub fn traceparent_of_current_span() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}

/// Makes `span` a child of the remote span that `traceparent` names. To be called before `span` is entered. A header that is
/// none of ours, or malformed, changes nothing: it came from outside.
pub fn set_parent(span: &Span, traceparent: &str) {
    let remote = TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(traceparent));
    if remote.span().span_context().is_valid() {
        // Fails where spans go nowhere, which is no fault.
        let _ = span.set_parent(remote);
    }
}

/// The one header of a message.
struct Header<'a>(&'a str);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == HEADER).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![HEADER]
    }
}
