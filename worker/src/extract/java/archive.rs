//! A zip archive in memory, read within bounds: the names in its central directory, and the few files that are wanted.
//!
//! Format: PKWARE's APPNOTE.TXT 6.3. As for a JVM the central directory counts, wherever the archive begins in the file:
//! a script may stand in front of it, a comment behind.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::DeflateDecoder;
use lazaret::inventory::GapKind;
use rawzip::{CompressionMethod, ZipArchiveEntryWayfinder, ZipLocator, ZipSliceArchive, ZipVerification};

/// Where the end of the central directory is looked for: the record and the longest comment behind it.
const TAIL: u64 = (64 << 10) + 22;
/// Inflated bytes that may have any ratio to what they are inflated from; beyond, [`RATIO`] holds.
const RATIO_FROM: u64 = 1 << 20;
/// No code or text in earnest is deflated to less than a hundredth.
const RATIO: u64 = 100;

/// What one claimed file may cost, all archives inside it together: in proportion to it, for entries may overlap, and an
/// archive may be inside itself a thousand times.
#[derive(Debug)]
pub(super) struct Budget {
    /// Archives that are opened.
    pub(super) archives: u64,
    /// Entries of central directories, every pass over one counted.
    pub(super) entries: u64,
    /// Bytes that are read from archives, inflated or as they are.
    pub(super) bytes: u64,
    /// Bytes of inflated archives that are in memory at one time.
    pub(super) held: u64,
}

impl Budget {
    /// The budget for a file of `size` bytes. A library in an application in an archive is inflated twice, at three times
    /// its size; an entry takes 76 bytes.
    pub(super) fn new(size: usize) -> Self {
        let size = size as u64;
        Self {
            archives: (100 + size / 256).min(20_000),
            entries: (10_000 + size / 4).min(4_000_000),
            bytes: ((16 << 20) + size * 16).min(1 << 30),
            // Several files are read at one time.
            held: ((8 << 20) + size * 3).min(128 << 20),
        }
    }
}

/// Why something in an archive could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("not a zip archive, or one that is cut short")]
    NoArchive,
    #[error("its central directory is malformed")]
    Directory,
    #[error("more archives than are read of one file")]
    Archives,
    #[error("more entries than are read of one file and the archives inside it")]
    Entries,
    #[error("its bytes are not where the central directory says")]
    Place,
    #[error("its bytes are damaged")]
    Damaged,
    #[error("encrypted")]
    Encrypted,
    #[error("compressed in another way than deflate")]
    Method,
    #[error("larger than such a file is read")]
    Size,
    #[error("it inflates to more than a hundred times its size")]
    Ratio,
    #[error("more bytes to read than are read of one file and the archives inside it")]
    Bytes,
}

impl Flaw {
    /// The kind of gap that it leaves.
    pub(super) fn kind(self) -> GapKind {
        match self {
            Self::NoArchive | Self::Directory | Self::Place | Self::Damaged => GapKind::Malformed,
            Self::Encrypted | Self::Method => GapKind::Unsupported,
            Self::Archives | Self::Entries | Self::Size | Self::Ratio | Self::Bytes => GapKind::Limit,
        }
    }
}

/// A zip archive.
pub(super) struct Archive<'a>(ZipSliceArchive<&'a [u8]>);

/// A file in it, by its record in the central directory.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// Its name, as written.
    pub(super) name: &'a [u8],
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    is_encrypted: bool,
}

impl<'a> Archive<'a> {
    pub(super) fn open(bytes: &'a [u8], budget: &mut Budget) -> Result<Self, Flaw> {
        budget.archives = budget.archives.checked_sub(1).ok_or(Flaw::Archives)?;
        ZipLocator::new().max_search_space(TAIL).locate_in_slice(bytes).map(Self).map_err(|_| Flaw::NoArchive)
    }

    /// Hands `each` every entry until it has seen enough and returns false.
    pub(super) fn each<'s>(&'s self, budget: &mut Budget, mut each: impl FnMut(Entry<'s>) -> bool) -> Result<(), Flaw> {
        let mut entries = self.0.entries();
        while let Some(record) = entries.next_entry().map_err(|_| Flaw::Directory)? {
            budget.entries = budget.entries.checked_sub(1).ok_or(Flaw::Entries)?;
            let entry = Entry {
                name: record.file_path().as_bytes(),
                place: record.wayfinder(),
                method: record.compression_method(),
                is_encrypted: record.flags().is_encrypted(),
            };
            if !each(entry) {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of `entry`, of which there may be `limit`; borrowed where they are stored as they are.
    pub(super) fn read<'s>(
        &'s self,
        entry: &Entry<'_>,
        limit: u64,
        budget: &mut Budget,
    ) -> Result<Cow<'s, [u8]>, Flaw> {
        let found = self.read_start(entry, limit, budget)?;
        if found.is_whole { Ok(found.bytes) } else { Err(Flaw::Size) }
    }

    /// As [`read`](Self::read), but the first `limit` bytes of what is larger.
    pub(super) fn read_start<'s>(
        &'s self,
        entry: &Entry<'_>,
        limit: u64,
        budget: &mut Budget,
    ) -> Result<Start<'s>, Flaw> {
        if entry.is_encrypted {
            return Err(Flaw::Encrypted);
        }
        let found = self.0.get_entry(entry.place).map_err(|_| Flaw::Place)?;
        let stored = found.data();
        match entry.method {
            CompressionMethod::STORE => {
                let end = stored.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
                budget.bytes = budget.bytes.checked_sub(end as u64).ok_or(Flaw::Bytes)?;
                let is_whole = end == stored.len();
                if is_whole {
                    let verified = ZipVerification { crc: rawzip::crc32(stored), uncompressed_size: end as u64 };
                    found.claim_verifier().valid(verified).map_err(|_| Flaw::Damaged)?;
                }
                Ok(Start { is_whole, bytes: Cow::Borrowed(&stored[..end]) })
            }
            CompressionMethod::DEFLATE => {
                let ratio = RATIO_FROM.max((stored.len() as u64).saturating_mul(RATIO));
                let most = limit.min(ratio).min(budget.bytes);
                // The size is a claim: memory in proportion to what is there to inflate, the rest as it arrives.
                let claimed = entry.place.uncompressed_size_hint().min(most).min(stored.len() as u64 * 4);
                let mut bytes = Vec::with_capacity(claimed as usize);
                let mut inflating = found.verifying_reader(DeflateDecoder::new(stored));
                let read = inflating.by_ref().take(most).read_to_end(&mut bytes);
                budget.bytes -= bytes.len() as u64;
                read.map_err(|_| Flaw::Damaged)?;
                // At the very end the checksum is verified.
                let is_whole = (bytes.len() as u64) < most || inflating.read(&mut [0]).map_err(|_| Flaw::Damaged)? == 0;
                if !is_whole && most < limit {
                    return Err(if most == ratio { Flaw::Ratio } else { Flaw::Bytes });
                }
                Ok(Start { bytes: Cow::Owned(bytes), is_whole })
            }
            _ => Err(Flaw::Method),
        }
    }
}

/// The beginning of a file in an archive.
pub(super) struct Start<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether it is all of it.
    pub(super) is_whole: bool,
}
