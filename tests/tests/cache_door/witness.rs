//! What a test sees of a cache from outside: its metrics and its log.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lazaret::door::cache::{CacheSettings, SharedCache, open};
use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tracing::subscriber::DefaultGuard;

/// Settings for what is not about time: on a busy machine nothing fails for want of it.
pub fn patient() -> CacheSettings {
    let budget = Duration::from_secs(20);
    CacheSettings { budget, payload_budget: budget, ..CacheSettings::default() }
}

/// A cache at `url` that is patient.
pub fn patient_cache(url: &str) -> SharedCache {
    open(url, patient()).unwrap_or_else(|error| panic!("{error}"))
}

/// Text as a key or value of the door.
pub fn key(text: &str) -> [String; 1] {
    [text.to_owned()]
}

/// Sees what happens on this thread as long as it lives; a `tokio::test` is one thread.
pub struct Witness {
    handle: PrometheusHandle,
    log: Log,
    _recorder: LocalRecorderGuard<'static>,
    _subscriber: DefaultGuard,
}

impl Witness {
    pub fn new() -> Self {
        // The recorder has to outlive the guard, which a leak of some kilobytes in a test is good enough for.
        let recorder: &'static PrometheusRecorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            handle: recorder.handle(),
            log,
            _recorder: metrics::set_default_local_recorder(recorder),
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The sum of the counters whose name and labels have all of `words` in them.
    pub fn count(&self, words: &[&str]) -> u64 {
        let text = self.handle.render();
        let lines = text.lines().filter(|line| !line.starts_with('#') && words.iter().all(|word| line.contains(word)));
        lines.map(|line| line.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)).sum()
    }

    /// Everything that was logged or counted.
    pub fn text(&self) -> String {
        let log = self.log.0.lock().expect("a log");
        format!("{}\n{}", String::from_utf8_lossy(&log), self.handle.render())
    }

    /// How many lines of warnings were logged.
    pub fn warnings(&self) -> usize {
        self.text().lines().filter(|line| line.contains(" WARN ")).count()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
