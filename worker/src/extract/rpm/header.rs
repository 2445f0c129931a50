//! The rpm header: an index of tags over a store of values, read where it lies.
//!
//! Format: <https://rpm-software-management.github.io/rpm/manual/format_header.html>. In a database it stands without
//! its magic: two numbers, the index, the store, all big-endian.

use std::borrow::Cow;

use super::flaw::Flaw;
use super::pieces::Pieces;

/// rpm's own limits: the numbers of entries and of bytes that its header check lets through.
const MAX_ENTRIES: u32 = 0xffff;
const MAX_DATA: u32 = 0x0fff_ffff;
/// Longer values than any name, licence or vendor has.
const MAX_TEXT: usize = 64 << 10;
const ENTRY: usize = 16;

/// What we ask a header for, by rpm's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    License = 1014,
    Arch = 1022,
    OldFileNames = 1027,
    FileFlags = 1037,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    ModularityLabel = 5096,
}

impl Tag {
    /// That the header has no such tag that could be read.
    pub(super) fn flaw(self) -> Flaw {
        Flaw::Tag(match self {
            Self::Name => "name",
            Self::Version => "version",
            Self::Release => "release",
            Self::Epoch => "epoch",
            Self::Vendor => "vendor",
            Self::License => "license",
            Self::Arch => "architecture",
            Self::SourceRpm => "source package",
            Self::ModularityLabel => "modularity label",
            Self::OldFileNames | Self::FileFlags | Self::DirIndexes | Self::BaseNames | Self::DirNames => "file list",
        })
    }
}

/// A header whose index and store are all there.
#[derive(Debug)]
pub(super) struct Header<'a, 'p> {
    blob: &'p Pieces<'a>,
    index: Cow<'a, [u8]>,
    start: usize,
    end: usize,
}

/// Where a tag's values are.
#[derive(Clone, Copy)]
struct Values {
    kind: u32,
    at: usize,
    count: usize,
}

impl<'a, 'p> Header<'a, 'p> {
    /// Checks the sizes. Regions (`HEADERIMMUTABLE` and its like) are tags among others here.
    pub(super) fn open(blob: &'p Pieces<'a>) -> Result<Self, Flaw> {
        let sizes = blob.read(0, 8).ok_or(Flaw::HeaderLength)?;
        let (entries, bytes) = (number_at(&sizes, 0), number_at(&sizes, 4));
        if entries > MAX_ENTRIES || bytes > MAX_DATA {
            return Err(Flaw::HeaderSize { entries, bytes });
        }
        let index_bytes = entries as usize * ENTRY;
        let start = 8 + index_bytes;
        let end = start + bytes as usize;
        if end > blob.len() {
            return Err(Flaw::HeaderLength);
        }
        let index = blob.read(8, index_bytes).ok_or(Flaw::HeaderLength)?;
        Ok(Self { blob, index, start, end })
    }

    /// The last entry of the tag: what rpm adds at installation follows the region as built, and goes before it.
    fn values(&self, tag: Tag) -> Result<Option<Values>, Flaw> {
        let number = (tag as u32).to_be_bytes();
        let Some(entry) = self.index.rchunks_exact(ENTRY).find(|entry| entry.starts_with(&number)) else {
            return Ok(None);
        };
        let at = self.start + number_at(entry, 8) as usize;
        let count = number_at(entry, 12) as usize;
        if at >= self.end || count == 0 || count > self.end - at {
            return Err(tag.flaw());
        }
        Ok(Some(Values { kind: number_at(entry, 4), at, count }))
    }

    /// The (first) string of the tag, if the header has the tag.
    pub(super) fn text(&self, tag: Tag) -> Result<Option<Cow<'a, [u8]>>, Flaw> {
        let Some(values) = self.values(tag)? else { return Ok(None) };
        if !is_text(values.kind) {
            return Err(tag.flaw());
        }
        let end = self.end.min(values.at + MAX_TEXT + 1);
        self.blob.string(values.at, end).map(Some).ok_or_else(|| tag.flaw())
    }

    /// The (first) 32-bit number of the tag, if the header has the tag.
    pub(super) fn number(&self, tag: Tag) -> Result<Option<u32>, Flaw> {
        let Some(numbers) = self.numbers(tag)? else { return Ok(None) };
        Ok(numbers.get(0))
    }

    /// All 32-bit numbers of the tag, if the header has the tag.
    pub(super) fn numbers(&self, tag: Tag) -> Result<Option<Numbers<'a>>, Flaw> {
        const INT32: u32 = 4;
        let Some(values) = self.values(tag)? else { return Ok(None) };
        let bytes = values.count.checked_mul(4).filter(|&bytes| bytes <= self.end - values.at);
        let bytes = bytes.filter(|_| values.kind == INT32).and_then(|bytes| self.blob.read(values.at, bytes));
        bytes.map(|bytes| Some(Numbers(bytes))).ok_or_else(|| tag.flaw())
    }

    /// All strings of the tag, if the header has the tag, each with the offset that [`Header::string_at`] takes.
    pub(super) fn texts(&self, tag: Tag) -> Result<Option<Texts<'a, '_>>, Flaw> {
        let Some(values) = self.values(tag)? else { return Ok(None) };
        if !is_text(values.kind) {
            return Err(tag.flaw());
        }
        Ok(Some(Texts { blob: self.blob, tail: &[], at: values.at, end: self.end, left: values.count, tag }))
    }

    /// The string at an offset that [`Header::texts`] gave.
    pub(super) fn string_at(&self, at: usize) -> Option<Cow<'a, [u8]>> {
        self.blob.string(at, self.end)
    }
}

/// STRING, STRING_ARRAY and I18NSTRING: one or more strings, each closed by NUL.
fn is_text(kind: u32) -> bool {
    matches!(kind, 6 | 8 | 9)
}

/// 32-bit numbers.
pub(super) struct Numbers<'a>(Cow<'a, [u8]>);

impl Numbers<'_> {
    /// The number at `index`.
    pub(super) fn get(&self, index: usize) -> Option<u32> {
        self.0.as_chunks().0.get(index).copied().map(u32::from_be_bytes)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len() / 4
    }
}

/// The strings of one tag, in order; ends with a flaw where one is not closed.
pub(super) struct Texts<'a, 'p> {
    blob: &'p Pieces<'a>,
    /// What is left of the piece at `at`, so that most strings need no search for it.
    tail: &'a [u8],
    at: usize,
    end: usize,
    left: usize,
    tag: Tag,
}

impl<'a> Iterator for Texts<'a, '_> {
    type Item = Result<(usize, Cow<'a, [u8]>), Flaw>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        if self.tail.is_empty() {
            let tail = self.blob.tail(at);
            self.tail = tail.get(..self.end - at).unwrap_or(tail);
        }
        let text = if let Some(nul) = memchr::memchr(0, self.tail) {
            let text = &self.tail[..nul];
            self.tail = &self.tail[nul + 1..];
            Cow::Borrowed(text)
        } else {
            self.tail = &[];
            let Some(text) = self.blob.string(at, self.end) else {
                self.left = 0;
                return Some(Err(self.tag.flaw()));
            };
            text
        };
        self.at += text.len() + 1;
        Some(Ok((at, text)))
    }
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_be_bytes)
}
