//! Progress on a terminal: a line that says how many layers and bytes are done. Nothing of it where nobody looks.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::Progress;

const TEMPLATE: &str = "{wide_msg} {prefix} {bytes}/{total_bytes} {bytes_per_sec}";

/// Shows a [`Progress`] until it is dropped.
pub(super) struct Shown {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Shown {
    /// Starts showing, if standard error is a terminal. A scan that is over at once shows nothing at all.
    pub(super) fn start(name: &str, progress: Arc<Progress>) -> Self {
        let name = lazaret::text::visible(name).into_owned();
        Self::draw(TEMPLATE, move |bar| {
            bar.set_message(name.clone());
            bar.set_length(progress.bytes.load(Ordering::Relaxed));
            bar.set_position(progress.bytes_done.load(Ordering::Relaxed));
            let (done, all) = (progress.layers_done.load(Ordering::Relaxed), progress.layers.load(Ordering::Relaxed));
            let (images, of) = (progress.images_done.load(Ordering::Relaxed), progress.images.load(Ordering::Relaxed));
            let images = if of > 1 { format!("{images}/{of} images ") } else { String::new() };
            bar.set_prefix(format!("{images}{done}/{all} layers"));
        })
    }

    /// The same for anything that a line can show; `show` is called ten times a second.
    pub(super) fn draw(template: &'static str, mut show: impl FnMut(&ProgressBar) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        if !std::io::stderr().is_terminal() {
            return Self { stop, thread: None };
        }
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            thread::park_timeout(Duration::from_millis(150));
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = (!stopped.load(Ordering::Relaxed)).then(|| ProgressBar::new(0).with_style(style));
            while !stopped.load(Ordering::Relaxed) {
                bar.iter().for_each(&mut show);
                thread::park_timeout(Duration::from_millis(100));
            }
            bar.iter().for_each(ProgressBar::finish_and_clear);
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread that draws has been printed already and changes no result.
            let _ = thread.join();
        }
    }
}
