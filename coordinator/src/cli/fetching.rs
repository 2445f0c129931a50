//! Fetching advisories, with a line of progress on a terminal.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::{Builder, Runtime};

use super::Failure;
use crate::advisory::update::{self, Home, Mirror, Outcome, Progress};

/// What is shown while archives come in.
pub(super) struct Fetching {
    bar: ProgressBar,
    /// Bytes received and in all, by ecosystem.
    received: Mutex<BTreeMap<String, (u64, u64)>>,
}

impl Fetching {
    /// Starts showing; nothing where standard error is no terminal.
    pub(super) fn start() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, received: Mutex::default() }
    }

    /// Shows what is going on.
    pub(super) fn note(&self, progress: Progress<'_>) {
        let mut archives = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Fetching { ecosystem, received, total } => {
                archives.insert(ecosystem.to_owned(), (received, total.unwrap_or(received)));
            }
            Progress::Done { ecosystem } => {
                if let Some((received, total)) = archives.get_mut(ecosystem) {
                    *total = *received;
                }
            }
            Progress::Compiling => {
                self.bar.set_message("compiling advisories");
                return;
            }
        }
        let (received, total) = archives.values().fold((0, 0), |(a, b), (received, total)| (a + received, b + total));
        self.bar.set_length(total);
        self.bar.set_position(received);
        let names: Vec<&str> = archives.keys().map(String::as_str).take(4).collect();
        let more = if archives.len() > names.len() { ", …" } else { "" };
        self.bar.set_message(format!("fetching advisories of {}{more}", lazaret::text::visible(&names.join(", "))));
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Fetches `ecosystems` from the mirror `from` into `home`.
pub(super) fn update(home: &Home, from: &str, ecosystems: &[String], shown: &Fetching) -> Result<Outcome, Failure> {
    let client = update::client().map_err(Failure::new)?;
    let mirror = Mirror::new(from, client).map_err(Failure::new)?;
    let outcome = runtime()?.block_on(update::update(home, &mirror, ecosystems, &|progress| shown.note(progress)));
    outcome.map_err(Failure::new)
}

/// A runtime for one task.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(Failure::new)
}
