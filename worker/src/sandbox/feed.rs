//! The blob on its way into the child, hashed and counted on this side.

use std::io::{self, BufRead};

use lazaret::digest::Digest;

use crate::sha256::Sha256;

/// A blob, and what of it went by so far.
pub(super) struct Hashing<'b> {
    blob: &'b mut dyn BufRead,
    hash: Sha256,
    size: u64,
}

impl<'b> Hashing<'b> {
    pub(super) fn new(blob: &'b mut dyn BufRead) -> Self {
        Self { blob, hash: Sha256::new(), size: 0 }
    }

    /// What comes next; nothing at the end.
    pub(super) fn chunk(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.blob.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        // Full already, so that this reads nothing: the borrow checker does not let a buffer out of a loop.
        self.blob.fill_buf()
    }

    /// Goes past the first `count` bytes of the chunk.
    pub(super) fn pass(&mut self, count: usize) -> io::Result<()> {
        let chunk = self.blob.fill_buf()?;
        self.hash.update(chunk.get(..count).unwrap_or(chunk));
        self.blob.consume(count);
        self.size += count as u64;
        Ok(())
    }

    /// Digest and size of what went by.
    pub(super) fn finish(self) -> (Digest, u64) {
        (Digest::from_bytes(self.hash.finish()), self.size)
    }
}
