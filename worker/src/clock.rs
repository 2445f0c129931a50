//! The CPU time of a thread: what a layer costs, whatever else the machine does.

use nix::time::{ClockId, clock_gettime};

/// CPU time of the calling thread so far, in microseconds; zero where the system does not tell.
pub fn thread_cpu_micros() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.map_or(0, |time| time.tv_sec() as u64 * 1_000_000 + time.tv_nsec() as u64 / 1_000)
}
