//! How much memory a piece of work takes at its peak.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Runs `work` and fails if it has more than `limit` bytes allocated at any time.
pub(crate) fn within<T>(limit: usize, work: impl FnOnce() -> T) -> T {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let result = work();
    let taken = ALLOCATED.peak_usage().saturating_sub(before);
    assert!(taken <= limit, "{taken} bytes of memory, more than {limit}");
    result
}
