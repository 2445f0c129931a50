//! Reading a blob: exactly as many bytes as its descriptor says, or an error.

use std::io::{self, BufRead, Read};

use super::SourceError;
use crate::digest::Digest;

/// A blob being read, without another copy: the reader's own buffer is handed out.
pub trait BlobReader: BufRead + Send {}

impl<R: BufRead + Send> BlobReader for R {}

/// A reader that fails where the content ends early or goes on too long, so that a cut blob is never taken for a
/// whole one.
pub struct Exact<R> {
    reader: R,
    digest: Digest,
    size: u64,
    left: u64,
}

impl<R: BufRead> Exact<R> {
    /// `reader` as the blob `digest` of `size` bytes.
    pub fn new(reader: R, digest: Digest, size: u64) -> Self {
        Self { reader, digest, size, left: size }
    }

    fn mismatch(&self, found: u64) -> io::Error {
        SourceError::SizeMismatch { digest: self.digest, expected: self.size, found }.into_io()
    }
}

impl<R: BufRead> BufRead for Exact<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let (size, left) = (self.size, self.left);
        if self.reader.fill_buf()?.is_empty() {
            return if left == 0 { Ok(&[]) } else { Err(self.mismatch(size - left)) };
        }
        if left == 0 {
            return Err(self.mismatch(size.saturating_add(1)));
        }
        // Already filled: this only looks at the buffer again, which the borrow above could not outlive.
        let buffer = self.reader.fill_buf()?;
        let usable = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        Ok(buffer.get(..usable).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Exact<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8], size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let reader = io::BufReader::with_capacity(3, content);
        Exact::new(reader, Digest::of(content), size).read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn only_the_whole_blob_passes() {
        assert_eq!(read(b"0123456789", 10).unwrap(), b"0123456789");
        assert_eq!(read(b"", 0).unwrap(), b"");
        for size in [0, 9, 11, u64::MAX] {
            let error = read(b"0123456789", size).unwrap_err();
            assert!(matches!(SourceError::of_read(&error), Some(SourceError::SizeMismatch { .. })), "{size}: {error}");
        }
    }
}
