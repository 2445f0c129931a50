//! The CPU time of the thread that measures: the kernel's, from `/proc/thread-self/schedstat`.

use std::fs;
use std::hint::black_box;

/// CPU seconds that `work` takes on this thread, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let result = black_box(work());
    (cpu() - start, result)
}

/// Median, least and greatest of an odd number of values.
pub fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [values[values.len() / 2], values[0], values[values.len() - 1]]
}

fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    let nanoseconds: f64 = stat.split_whitespace().next().and_then(|n| n.parse().ok()).expect("nanoseconds");
    nanoseconds / 1e9
}
