//! The uncompressed bytes of a blob, with both digests computed in the same pass, side by side.

use std::io::{self, BufRead, Cursor, Read};

use bincode::{Decode, Encode};
use flate2::bufread::MultiGzDecoder;
use lazaret::digest::Digest;

use crate::limits::Limits;
use crate::sha256::{Sha256, update_both};

/// Large enough that calls cost nothing, small enough to stay in the second-level cache with the inflater's tables.
const BUFFER: usize = 256 << 10;

/// zstd frames may ask for a window of up to 2^41 bytes; 128 MiB is what its own command line accepts by default.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// The most that has to be seen of a blob to tell its compression.
const MAGIC_BYTES: usize = 6;

/// A blob being unpacked: reads as the uncompressed tar.
pub struct Unpacked<R: BufRead> {
    decoder: Decoder<Hashed<Begun<R>>>,
    buffer: Box<[u8]>,
    position: usize,
    filled: usize,
    /// How much of the filled buffer is in `hash`.
    hashed: usize,
    hash: Sha256,
    produced: u64,
    limits: Limits,
    breach: Option<Breach>,
}

/// A limit that stopped the unpacking; reading on gives it as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Breach {
    /// More compressed bytes than allowed.
    #[error("too many compressed bytes")]
    Compressed,
    /// More uncompressed bytes than allowed.
    #[error("too many uncompressed bytes")]
    Uncompressed,
    /// More uncompressed bytes for each compressed one than any honest layer has.
    #[error("unpacks to too many times its size")]
    Ratio,
}

impl Breach {
    /// The breach that an error of [`Unpacked`] stands for.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// What a blob turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The digest of the blob.
    pub blob: Digest,
    /// Its size in bytes.
    pub compressed_bytes: u64,
    /// The digest of the uncompressed bytes; `None` after a breach.
    pub diff_id: Option<Digest>,
    /// How many uncompressed bytes were seen.
    pub uncompressed_bytes: u64,
    /// The limit that was reached.
    pub breach: Option<Breach>,
}

/// A blob, its first bytes in one piece.
type Begun<R> = io::Chain<Cursor<Vec<u8>>, R>;

enum Decoder<R: BufRead> {
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(zstd::stream::read::Decoder<'static, R>),
    Plain(R),
}

impl<R: BufRead> Decoder<R> {
    fn input(&mut self) -> &mut R {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
            Self::Plain(input) => input,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Plain(input) => input.read(buffer),
        }
    }
}

impl<R: BufRead> Unpacked<R> {
    /// Unpacks `blob`, telling the compression by its first bytes as container runtimes do; a media type may lie.
    ///
    /// # Errors
    /// Whatever reading the first bytes gives; [`io::ErrorKind::Unsupported`] for compressions that images do not have.
    pub fn new(blob: R, limits: Limits) -> io::Result<Self> {
        let inner = begin(blob)?;
        let mut input = Hashed { inner, held: 0, hash: Sha256::new(), count: 0, limit: limits.compressed_bytes };
        let start = input.fill_buf()?;
        let decoder = if start.starts_with(&[0x1f, 0x8b]) {
            Decoder::Gzip(Box::new(MultiGzDecoder::new(input)))
        } else if is_zstd(start) {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Decoder::Zstd(decoder)
        } else if let Some(name) = foreign_compression(start) {
            let reason = format!("{name} compression, which the OCI image specification does not have");
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        } else {
            Decoder::Plain(input)
        };
        Ok(Self {
            decoder,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            position: 0,
            filled: 0,
            hashed: 0,
            hash: Sha256::new(),
            produced: 0,
            limits,
            breach: None,
        })
    }

    /// Reads whatever is left, so that both digests cover the whole, and says what the blob was.
    ///
    /// # Errors
    /// Reading or inflating the rest failed.
    pub fn finish(mut self) -> io::Result<Totals> {
        loop {
            match self.fill_buf().map(<[u8]>::len) {
                Ok(0) => break,
                Ok(rest) => self.consume(rest),
                Err(error) if Breach::of(&error).is_some() => break,
                Err(error) => return Err(error),
            }
        }
        let (blob, compressed_bytes, over) = self.decoder.input().drain()?;
        let breach = self.breach.or(over.then_some(Breach::Compressed));
        let unpacked = match self.decoder {
            Decoder::Plain(_) => blob,
            _ => Digest::from_bytes(self.hash.finish()),
        };
        let diff_id = breach.is_none().then_some(unpacked);
        Ok(Totals { blob, compressed_bytes, diff_id, uncompressed_bytes: self.produced, breach })
    }

    /// The digest and size of the blob, read to its end without unpacking: tells a corrupt download from a layer that was
    /// built broken.
    ///
    /// # Errors
    /// Reading the rest of the blob failed.
    pub fn blob_digest(mut self) -> io::Result<(Digest, u64)> {
        let (digest, count, _) = self.decoder.input().drain()?;
        Ok((digest, count))
    }

    fn refill(&mut self) -> io::Result<()> {
        (self.position, self.filled, self.hashed) = (0, 0, 0);
        let count = self.decoder.input().count;
        if self.produced > self.limits.uncompressed_bytes {
            self.breach = Some(Breach::Uncompressed);
        } else if self.produced > self.limits.ratio_from && self.produced / self.limits.ratio > count {
            self.breach = Some(Breach::Ratio);
        } else if count > self.limits.compressed_bytes {
            self.breach = Some(Breach::Compressed);
        }
        if let Some(breach) = self.breach {
            return Err(io::Error::other(breach));
        }
        // A decoder may hand out a few bytes at a time (many small gzip members); hashing waits for more.
        let read = loop {
            if self.filled == self.buffer.len() {
                break Ok(());
            }
            match self.decoder.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break Ok(()),
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => break Err(e),
            }
            // The next read would have to hash the held input by itself.
            if self.decoder.input().is_exhausted() {
                self.settle();
            }
        };
        self.settle();
        self.produced += self.filled as u64;
        read
    }

    /// Hashes what was consumed and what was produced since the last time, both together.
    fn settle(&mut self) {
        // What is not compressed has one digest, and the input's side has it.
        let fresh = match self.decoder {
            Decoder::Plain(_) => &[],
            _ => &self.buffer[self.hashed..self.filled],
        };
        self.decoder.input().settle(&mut self.hash, fresh);
        self.hashed = self.filled;
    }
}

impl<R: BufRead> BufRead for Unpacked<R> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.filled {
            self.refill()?;
        }
        Ok(&self.buffer[self.position..self.filled])
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        self.position = self.filled.min(self.position + amount);
    }
}

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// A source may hand out its first bytes one by one, as a network does.
fn begin<R: BufRead>(mut blob: R) -> io::Result<Begun<R>> {
    let mut first = Vec::new();
    while first.len() < MAGIC_BYTES {
        let found = blob.fill_buf()?;
        if found.is_empty() || first.is_empty() && found.len() >= MAGIC_BYTES {
            break;
        }
        let taken = found.len().min(MAGIC_BYTES - first.len());
        first.extend_from_slice(&found[..taken]);
        blob.consume(taken);
    }
    Ok(Cursor::new(first).chain(blob))
}

/// A reader that hashes what is consumed through it, as late as it can, so that there is output to hash along with it:
/// until then the bytes stay where they are, in the buffer of the reader beneath.
struct Hashed<R> {
    inner: R,
    /// How many bytes at the start of the inner reader's buffer are consumed, but neither hashed nor given up.
    held: usize,
    hash: Sha256,
    count: u64,
    limit: u64,
}

impl<R: BufRead> Hashed<R> {
    /// Hashes the rest up to the limit: digest, size, and whether the limit was passed.
    fn drain(&mut self) -> io::Result<(Digest, u64, bool)> {
        while self.count <= self.limit {
            let rest = self.fill_buf()?.len();
            if rest == 0 {
                break;
            }
            self.consume(rest);
        }
        self.settle_alone();
        Ok((Digest::from_bytes(self.hash.clone().finish()), self.count, self.count > self.limit))
    }

    /// Hashes the held bytes and gives them up, and goes on with `output` by `fresh` in the same breath.
    fn settle(&mut self, output: &mut Sha256, fresh: &[u8]) {
        update_both(&mut self.hash, held(&mut self.inner, self.held), output, fresh);
        self.inner.consume(self.held);
        self.held = 0;
    }

    fn settle_alone(&mut self) {
        self.hash.update(held(&mut self.inner, self.held));
        self.inner.consume(self.held);
        self.held = 0;
    }

    /// Whether all of the inner reader's buffer is held.
    fn is_exhausted(&mut self) -> bool {
        self.held > 0 && self.inner.fill_buf().is_ok_and(|buffer| buffer.len() == self.held)
    }
}

/// The first `count` bytes of a buffer that is known to have them. So this reads nothing, and an error cannot come of it.
fn held(reader: &mut impl BufRead, count: usize) -> &[u8] {
    match count {
        0 => &[],
        _ => reader.fill_buf().ok().and_then(|buffer| buffer.get(..count)).unwrap_or_default(),
    }
}

impl<R: BufRead> BufRead for Hashed<R> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_exhausted() {
            self.settle_alone();
        }
        Ok(self.inner.fill_buf()?.get(self.held..).unwrap_or_default())
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        self.held += amount;
        self.count += amount as u64;
    }
}

impl<R: BufRead> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// RFC 8878, §3.1: a frame's magic number, or one of the sixteen of skippable frames.
fn is_zstd(start: &[u8]) -> bool {
    match start.first_chunk::<4>() {
        Some(&magic) => {
            let magic = u32::from_le_bytes(magic);
            magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50
        }
        None => false,
    }
}

fn foreign_compression(start: &[u8]) -> Option<&'static str> {
    [(&b"BZh"[..], "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x04\x22\x4d\x18", "lz4")]
        .into_iter()
        .find_map(|(magic, name)| start.starts_with(magic).then_some(name))
}

#[cfg(test)]
mod tests;
