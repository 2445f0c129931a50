//! The bytes of one file as they stream by: whoever reads them, the search for secrets sees each of them once.

use std::io::BufRead;

use crate::secrets::File;
use crate::tar::{Chunk, Entries, Entry, TarError};

/// A file of the tar, as far as it has not been read.
pub(super) struct Body<'b, R: BufRead> {
    entries: &'b mut Entries<R>,
    entry: &'b Entry,
    secrets: &'b mut File,
    /// Bytes of the current chunk that the search has seen and nobody has used up.
    seen: usize,
}

impl<'b, R: BufRead> Body<'b, R> {
    /// The body of `entry`, with the search that has begun on it.
    pub(super) fn new(entries: &'b mut Entries<R>, entry: &'b Entry, secrets: &'b mut File) -> Self {
        Self { entries, entry, secrets, seen: 0 }
    }

    /// Bytes of the whole file.
    pub(super) fn size(&self) -> u64 {
        self.entry.size
    }

    /// The next piece; none at the end.
    pub(super) fn chunk(&mut self) -> Result<Option<Chunk<'_>>, TarError> {
        let chunk = self.entries.chunk(self.entry)?;
        match &chunk {
            Some(Chunk::Data(data)) => {
                if let Some(unseen) = data.get(self.seen..).filter(|unseen| !unseen.is_empty()) {
                    self.secrets.feed(unseen);
                    self.seen = data.len();
                }
            }
            // No secret goes on behind a hole.
            Some(Chunk::Zeros(_)) => self.secrets.feed(&[0]),
            None => {}
        }
        Ok(chunk)
    }

    /// Uses up so many bytes of the piece.
    pub(super) fn consume(&mut self, amount: usize) {
        self.entries.consume(amount);
        self.seen = self.seen.saturating_sub(amount);
    }

    /// Reads what nobody else wanted, for the search alone.
    pub(super) fn drain(&mut self) -> Result<(), TarError> {
        while let Some(chunk) = self.chunk()? {
            if let Chunk::Data(data) = chunk {
                let used = data.len();
                self.consume(used);
            }
        }
        Ok(())
    }
}
