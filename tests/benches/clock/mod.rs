//! The CPU time of the thread that measures: the kernel's, from `/proc/thread-self/schedstat`.

use std::fs;
use std::hint::black_box;

/// CPU seconds that `work` takes on this thread, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let result = black_box(work());
    (cpu() - start, result)
}

fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    let nanoseconds: f64 = stat.split_whitespace().next().and_then(|n| n.parse().ok()).expect("nanoseconds");
    nanoseconds / 1e9
}
