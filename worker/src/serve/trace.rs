//! The span of a task: who asked for it, and which of its attempts this is.

use lazaret::task::Task;
use lazaret::telemetry;
use tracing::Span;

/// The span that everything about one delivery happens in: part of the trace of whoever asked, where the message says which.
pub fn span_of(task: &Task) -> Span {
    let span = tracing::info_span!(
        "layer",
        task = %task.id,
        blob = %task.blob.digest,
        class = task.class.name(),
        attempt = task.attempt,
        job = task.job,
    );
    if let Some(trace) = &task.trace {
        telemetry::set_parent(&span, trace);
    }
    span
}
