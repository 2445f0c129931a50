//! The metrics of the farm: every name, once, with what it means.
//!
//! Names start with `lazaret_`, are in base units, and end with `_total` where they only grow. Labels have few values; a
//! digest, a reference or a job is never one.

use Kind::{Counter, Gauge, Histogram};
use metrics::Unit;

/// Messages that wait in the broker. Label `queue`: interactive, bulk, retry, dead, jobs.
pub const QUEUE_DEPTH: &str = "lazaret_queue_depth";
/// For how long the oldest task is published and not done. Label `class`: interactive, bulk.
pub const OLDEST_TASK_AGE: &str = "lazaret_queue_oldest_task_age_seconds";
/// From the confirmed publication of a task until its coordinator has seen what became of it. Label `class`.
pub const TASK_DURATION: &str = "lazaret_task_duration_seconds";
/// Messages published. Label `outcome`: confirmed, returned, nacked, unconfirmed.
pub const PUBLISHES: &str = "lazaret_publishes_total";
/// Tasks put on the retry ladder. Label `reason`: trouble, handed-back.
pub const RETRIES: &str = "lazaret_retries_total";
/// Dead letters that a coordinator has dealt with. Label `reason`: rejected, delivery_limit, expired, maxlen, other.
pub const DEAD_LETTERS: &str = "lazaret_dead_letters_total";
/// Connections to the broker that had to be opened anew. Label `purpose`: publishing, consuming.
pub const RECONNECTS: &str = "lazaret_queue_reconnects_total";
/// Consumers that had to be opened anew, with their connection or alone.
pub const CONSUMERS_REOPENED: &str = "lazaret_queue_consumers_reopened_total";
/// Acknowledgements that the broker does not know of: what they were for comes again.
pub const ACKS_LOST: &str = "lazaret_queue_acks_lost_total";
/// Whether the broker takes nothing now, for want of memory or disk: 0 or 1. Label `purpose`.
pub const QUEUE_BLOCKED: &str = "lazaret_queue_blocked";

/// Wanted inventories that the cache had. Label `operation`: present, get.
pub const CACHE_HITS: &str = "lazaret_cache_hits_total";
/// Wanted inventories that the cache did not have. Label `operation`.
pub const CACHE_MISSES: &str = "lazaret_cache_misses_total";
/// Questions to the cache that failed, and values of it that were refused. Label `kind`: timeout, rejected, …
pub const CACHE_ERRORS: &str = "lazaret_cache_errors_total";
/// Claims asked for. Label `outcome`: taken, held, unknown.
pub const CLAIMS: &str = "lazaret_claims_total";

/// Requests to the store. Labels `operation`: get, put, list, …; `outcome`: ok, absent, again, refused, …
pub const STORE_REQUESTS: &str = "lazaret_store_requests_total";
/// How long requests to the store took. Label `operation`.
pub const STORE_REQUEST_DURATION: &str = "lazaret_store_request_duration_seconds";
/// Bytes of objects. Label `direction`: read, written.
pub const STORE_BYTES: &str = "lazaret_store_bytes_total";
/// Whether a worker takes no task because the store is away: 0 or 1.
pub const STORE_DOWN: &str = "lazaret_store_down";

/// Deliveries of tasks that a worker has dealt with. Labels `class`; `outcome`: analysed, reused, failed, later, handed-back,
/// lost.
pub const TASKS: &str = "lazaret_tasks_total";
/// Bytes of blobs that came from registries.
pub const PULLED_BYTES: &str = "lazaret_pulled_bytes_total";
/// Requests to registries, of workers for blobs and of coordinators for manifests.
pub const REGISTRY_REQUESTS: &str = "lazaret_registry_requests_total";
/// How long an analysed layer took, from its task taken to its inventory stored. Label `class`.
pub const LAYER_DURATION: &str = "lazaret_layer_duration_seconds";
/// CPU time of analysing one layer, the child's included.
pub const LAYER_CPU: &str = "lazaret_layer_cpu_seconds";
/// Slots of the worker that have a layer in hand. Label `class`.
pub const SLOTS_BUSY: &str = "lazaret_worker_slots_busy";
/// Slots of the worker. Label `class`.
pub const SLOTS: &str = "lazaret_worker_slots";
/// Bytes of blobs on their way into a child.
pub const BYTES_IN_FLIGHT: &str = "lazaret_worker_in_flight_bytes";
/// How well children are locked in: 0 not at all, 1 in part, 2 fully.
pub const SANDBOX_LEVEL: &str = "lazaret_sandbox_level";

/// Jobs that this coordinator runs.
pub const JOBS_RUNNING: &str = "lazaret_jobs_running";
/// Jobs that have ended. Label `status`: done, cancelled, failed.
pub const JOBS_ENDED: &str = "lazaret_jobs_ended_total";
/// Images that have ended. Label `outcome`: complete, incomplete, failed.
pub const IMAGES_DONE: &str = "lazaret_images_done_total";
/// Distinct layers of jobs. Label `outcome`: analysed, reused, failed.
pub const LAYERS: &str = "lazaret_layers_total";
/// Tasks published and not ended: the part of the window in use.
pub const WINDOW_IN_USE: &str = "lazaret_window_in_use";
/// How many tasks may be published and not ended.
pub const WINDOW: &str = "lazaret_window";
/// Requests to the API. Labels `route`, `status`.
pub const HTTP_REQUESTS: &str = "lazaret_http_requests_total";
/// How long requests to the API took. Label `route`.
pub const HTTP_REQUEST_DURATION: &str = "lazaret_http_request_duration_seconds";

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is a distribution.
    Histogram,
}

/// One metric: its name, its kind, its unit and its help text.
pub type Metric = (&'static str, Kind, Unit, &'static str);

/// All of them.
pub const ALL: &[Metric] = &[
    (QUEUE_DEPTH, Gauge, Unit::Count, "Messages that wait in the broker, by queue."),
    (OLDEST_TASK_AGE, Gauge, Unit::Seconds, "For how long the oldest task is published and not done, by class."),
    (TASK_DURATION, Histogram, Unit::Seconds, "From the publication of a task to its end, by class."),
    (PUBLISHES, Counter, Unit::Count, "Messages published, by outcome: confirmed, returned, nacked, unconfirmed."),
    (RETRIES, Counter, Unit::Count, "Tasks put on the retry ladder, by reason."),
    (DEAD_LETTERS, Counter, Unit::Count, "Dead letters that a coordinator has dealt with, by reason."),
    (RECONNECTS, Counter, Unit::Count, "Connections to the broker that had to be opened anew, by purpose."),
    (CONSUMERS_REOPENED, Counter, Unit::Count, "Consumers that had to be opened anew."),
    (ACKS_LOST, Counter, Unit::Count, "Acknowledgements that the broker does not know of."),
    (QUEUE_BLOCKED, Gauge, Unit::Count, "Whether the broker takes nothing now, for want of memory or disk."),
    (CACHE_HITS, Counter, Unit::Count, "Wanted inventories that the cache had."),
    (CACHE_MISSES, Counter, Unit::Count, "Wanted inventories that the cache did not have."),
    (CACHE_ERRORS, Counter, Unit::Count, "Questions to the cache that failed, and values of it that were refused."),
    (CLAIMS, Counter, Unit::Count, "Claims asked for, by outcome: taken, held, unknown."),
    (STORE_REQUESTS, Counter, Unit::Count, "Requests to the store, by operation and outcome."),
    (STORE_REQUEST_DURATION, Histogram, Unit::Seconds, "How long requests to the store took, by operation."),
    (STORE_BYTES, Counter, Unit::Bytes, "Bytes of objects read from the store and written to it."),
    (STORE_DOWN, Gauge, Unit::Count, "Whether a worker takes no task because the store is away."),
    (TASKS, Counter, Unit::Count, "Deliveries of tasks that a worker has dealt with, by class and outcome."),
    (PULLED_BYTES, Counter, Unit::Bytes, "Bytes of blobs that came from registries."),
    (REGISTRY_REQUESTS, Counter, Unit::Count, "Requests to registries."),
    (LAYER_DURATION, Histogram, Unit::Seconds, "How long a layer took, from its task taken to its inventory stored."),
    (LAYER_CPU, Histogram, Unit::Seconds, "CPU time of analysing one layer."),
    (SLOTS_BUSY, Gauge, Unit::Count, "Slots of the worker that have a layer in hand, by class."),
    (SLOTS, Gauge, Unit::Count, "Slots of the worker, by class."),
    (BYTES_IN_FLIGHT, Gauge, Unit::Bytes, "Bytes of blobs on their way into a child."),
    (SANDBOX_LEVEL, Gauge, Unit::Count, "How well children are locked in: 0 not at all, 1 in part, 2 fully."),
    (JOBS_RUNNING, Gauge, Unit::Count, "Jobs that this coordinator runs."),
    (JOBS_ENDED, Counter, Unit::Count, "Jobs that have ended, by status: done, cancelled, failed."),
    (IMAGES_DONE, Counter, Unit::Count, "Images that have ended, by outcome: complete, incomplete, failed."),
    (LAYERS, Counter, Unit::Count, "Distinct layers of jobs, by outcome: analysed, reused, failed."),
    (WINDOW_IN_USE, Gauge, Unit::Count, "Tasks published and not ended."),
    (WINDOW, Gauge, Unit::Count, "How many tasks may be published and not ended."),
    (HTTP_REQUESTS, Counter, Unit::Count, "Requests to the API, by route and status."),
    (HTTP_REQUEST_DURATION, Histogram, Unit::Seconds, "How long requests to the API took, by route."),
];

/// Upper bounds of the buckets of every histogram, in seconds: from a cached answer to the deadline of a layer.
pub const BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// Tells the recorder of this thread, or of the process, what each metric means.
pub fn describe_all() {
    for &(name, kind, unit, help) in ALL {
        match kind {
            Counter => metrics::describe_counter!(name, unit, help),
            Gauge => metrics::describe_gauge!(name, unit, help),
            Histogram => metrics::describe_histogram!(name, unit, help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_table_once_and_says_what_it_counts() {
        let constants = include_str!("metrics.rs").lines().filter(|line| line.contains(": &str = \"lazaret_")).count();
        assert_eq!(constants, ALL.len(), "a name without help, or the other way round");
        for &(name, kind, unit, help) in ALL {
            assert_eq!(ALL.iter().filter(|other| other.0 == name).count(), 1, "{name}");
            assert!(
                name.starts_with("lazaret_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == Counter, "{name}");
            let base = name.strip_suffix("_total").unwrap_or(name);
            assert_eq!(base.ends_with("_seconds"), unit == Unit::Seconds, "{name}");
            assert_eq!(base.ends_with("_bytes"), unit == Unit::Bytes, "{name}");
            assert!(help.ends_with('.') && help.len() > 10, "{name}");
        }
    }
}
