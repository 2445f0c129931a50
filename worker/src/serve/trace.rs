//! The span of a task: who asked for it, and which of its attempts this is.

use lazaret::task::Task;
use tracing::Span;

/// The span that everything about one delivery happens in.
pub fn span_of(task: &Task) -> Span {
    tracing::info_span!(
        "task",
        task = %task.id,
        blob = %task.blob.digest,
        class = task.class.name(),
        attempt = task.attempt,
    )
}
