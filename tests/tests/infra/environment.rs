//! Every environment variable that infra/ sets is one that somebody reads.

/// What both our binaries read: their own, and those of the AWS SDK, of OpenTelemetry and of Docker's credentials.
const OURS: &[&str] = &[
    "LAZARET_QUEUE",
    "LAZARET_CACHE",
    "LAZARET_CACHE_KEY",
    "LAZARET_IDENTITY_KEY",
    "LAZARET_STORE",
    "LAZARET_LISTEN",
    "LAZARET_LOG",
    "LAZARET_LOG_FORMAT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_ENDPOINT_URL_S3",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "DOCKER_CONFIG",
];
/// What `lazaret serve` alone reads.
const COORDINATOR: &[&str] = &["LAZARET_TOKENS", "LAZARET_PATIENCE"];
/// What `lazaret-worker` alone reads.
const WORKER: &[&str] =
    &["LAZARET_SLOTS", "LAZARET_INTERACTIVE_SLOTS", "LAZARET_GRACE", "LAZARET_DEADLINE", "LAZARET_REQUIRE_SANDBOX"];
/// What Garage reads.
const GARAGE: &[&str] =
    &["GARAGE_DEFAULT_ACCESS_KEY", "GARAGE_DEFAULT_SECRET_KEY", "GARAGE_DEFAULT_BUCKET", "GARAGE_RPC_SECRET"];

/// Whether the service `who` of the farm reads `variable`.
pub fn is_read(who: &str, variable: &str) -> bool {
    let own = match who {
        "coordinator" => COORDINATOR,
        "worker" => WORKER,
        "s3" => return GARAGE.contains(&variable),
        _ => return false,
    };
    OURS.contains(&variable) || own.contains(&variable)
}
