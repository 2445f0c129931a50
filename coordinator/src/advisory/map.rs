//! Maps a snapshot file into memory: the one place of the coordinator with `unsafe`.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// Maps the file at `path`, read only.
///
/// # Errors
/// The file cannot be opened or mapped.
#[allow(unsafe_code)]
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: a mapping is sound as long as nobody changes or shortens the file beneath it. Snapshots are written under
    // another name, renamed into place, named by the hash of their content and never modified afterwards; removing one
    // leaves the mapped bytes alive. Whoever may write to that directory in spite of this may also replace the program.
    // Every read is bounds-checked and re-reads nothing that it checked, so that even a changed file gives wrong
    // answers at worst, or SIGBUS where it was cut.
    unsafe { Mmap::map(&file) }
}
