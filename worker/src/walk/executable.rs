//! Executables are told by their bytes, not by their names: here they are caught while the tar streams by.

use std::io::BufRead;

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

use crate::executable::{ElfCapture, is_elf};
use crate::tar::{Chunk, Entries, Entry, TarError};

pub(super) use crate::executable::NAME;

/// Reads executables; its buffers serve one after the other.
#[derive(Default)]
pub(super) struct Reader {
    capture: ElfCapture,
}

/// What a file turned out to be.
#[derive(Default)]
pub(super) struct Seen {
    /// Whether it is an ELF file.
    pub(super) is_elf: bool,
    /// What it yielded, if anything.
    pub(super) facts: Option<Facts>,
}

/// The smallest ELF header, of a 32-bit program.
const SMALLEST: u64 = 52;
/// Longer holes are no program's, and are not worth walking through.
const LONGEST_HOLE: u64 = 64 << 20;

impl Reader {
    /// Reads the entry if it is an executable; otherwise not a byte more than tells that it is none.
    pub(super) fn read<R: BufRead>(
        &mut self,
        entry: &Entry,
        entries: &mut Entries<R>,
        path: &LayerPath,
    ) -> Result<Seen, TarError> {
        if entry.size < SMALLEST || !starts_as_elf(entry, entries)? {
            return Ok(Seen::default());
        }
        self.capture.begin();
        while let Some(chunk) = entries.chunk(entry)? {
            match chunk {
                Chunk::Data(data) => {
                    let n = data.len();
                    self.capture.feed(data);
                    entries.consume(n);
                }
                Chunk::Zeros(zeros) if zeros <= LONGEST_HOLE => self.feed_zeros(zeros),
                Chunk::Zeros(_) => break,
            }
        }
        let facts = self.capture.finish(path);
        Ok(Seen { is_elf: true, facts: (facts != Facts::default()).then_some(facts) })
    }

    fn feed_zeros(&mut self, mut zeros: u64) {
        const ZEROS: [u8; 4096] = [0; 4096];
        while zeros > 0 {
            let n = zeros.min(ZEROS.len() as u64) as usize;
            self.capture.feed(&ZEROS[..n]);
            zeros -= n as u64;
        }
    }
}

/// Looks at the first bytes, which may lie on both sides of a buffer's end; then the first of them is proof enough to
/// read on, since the capture looks again.
fn starts_as_elf<R: BufRead>(entry: &Entry, entries: &mut Entries<R>) -> Result<bool, TarError> {
    Ok(match entries.chunk(entry)? {
        Some(Chunk::Data(data)) if data.len() < 4 => data.first() == Some(&0x7f),
        Some(Chunk::Data(data)) => is_elf(data),
        _ => false,
    })
}
