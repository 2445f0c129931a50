//! The command `lazaret`.

use std::process::ExitCode;

/// Decoding inventories and JSON makes many small allocations; this allocator does them in less than half the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // What images hold is in memory: no crash writes it to a disk, and nobody else of this user reads it there.
    let _ = nix::sys::prctl::set_dumpable(false);
    // It asks for huge pages too, and gives memory back between two images: clearing two megabytes again and again for what
    // needs a few pages of them was a third of a scan's time. Where this is refused it is only slower.
    let _ = nix::sys::prctl::set_thp_disable(true);
    lazaret_coordinator::cli::run()
}
