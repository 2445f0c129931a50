//! Single entries of a zip archive in memory, found by the archive's directory.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::DeflateDecoder;

// Signatures and sizes of the parts that are read: APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12, 4.3.14 and 4.3.16.
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
/// Stands before it where the archive has more entries than its numbers can tell.
const END_64: &[u8] = b"PK\x06\x06";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_ENTRY_BYTES: usize = 46;
const LOCAL_ENTRY: &[u8] = b"PK\x03\x04";
const LOCAL_ENTRY_BYTES: usize = 30;
const MAX_COMMENT: usize = 65_535;

/// Why an entry cannot be had.
#[derive(Debug)]
pub(super) enum Flaw {
    /// The archive is broken, or of a kind that is not read.
    Malformed(&'static str),
    /// It unpacks to more than is wanted.
    TooLarge,
}

/// An entry.
pub(super) struct Entry<'a> {
    /// Its name, as written.
    pub(super) name: &'a [u8],
    method: u16,
    packed: &'a [u8],
}

/// The entries in the directory of `archive` whose names are `wanted`, up to `most`; the error is the reason why there is no
/// directory.
pub(super) fn entries(archive: &[u8], wanted: fn(&[u8]) -> bool, most: usize) -> Result<Vec<Entry<'_>>, &'static str> {
    let mut found = Vec::new();
    let tail = archive.len().saturating_sub(END_BYTES + MAX_COMMENT);
    let end = archive.get(tail..).and_then(|bytes| memchr::memmem::rfind(bytes, END)).ok_or("it has no directory")?;
    let end = archive.get(tail + end..).unwrap_or_default();
    let start = number(end, 16, 4).ok_or("it has no directory")?;
    let mut directory = archive.get(start..).ok_or("its directory is not where it says")?;
    while directory.starts_with(DIRECTORY_ENTRY) {
        let field = |at, bytes| number(directory, at, bytes).ok_or("its directory is cut off");
        let (name_bytes, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let name_end = DIRECTORY_ENTRY_BYTES + name_bytes;
        let name = directory.get(DIRECTORY_ENTRY_BYTES..name_end).ok_or("its directory is cut off")?;
        if wanted(name) && found.len() < most {
            let packed = packed(archive, field(42, 4)?, field(20, 4)?).ok_or("an entry is not where it says")?;
            found.push(Entry { name, method: u16::try_from(field(10, 2)?).unwrap_or(u16::MAX), packed });
        }
        directory = directory.get(name_end + extra + comment..).ok_or("its directory is cut off")?;
    }
    if directory.starts_with(END) || directory.starts_with(END_64) {
        Ok(found)
    } else {
        Err("its directory is cut off")
    }
}

/// The packed bytes of the entry whose local header is at `start`.
fn packed(archive: &[u8], start: usize, bytes: usize) -> Option<&[u8]> {
    let local = archive.get(start..).filter(|local| local.starts_with(LOCAL_ENTRY))?;
    let data = LOCAL_ENTRY_BYTES + number(local, 26, 2)? + number(local, 28, 2)?;
    local.get(data..data.checked_add(bytes)?)
}

/// The little-endian number of `bytes` bytes at `at`.
fn number(from: &[u8], at: usize, bytes: usize) -> Option<usize> {
    Some(from.get(at..at + bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

impl<'a> Entry<'a> {
    /// Its bytes, if there are no more than `limit`.
    pub(super) fn unpacked(&self, limit: usize) -> Result<Cow<'a, [u8]>, Flaw> {
        let bytes = match self.method {
            0 => Cow::Borrowed(self.packed),
            8 => {
                let mut bytes = Vec::new();
                let mut inflated = DeflateDecoder::new(self.packed).take(limit as u64 + 1);
                inflated.read_to_end(&mut bytes).map_err(|_| Flaw::Malformed("an entry cannot be inflated"))?;
                Cow::Owned(bytes)
            }
            _ => return Err(Flaw::Malformed("an entry is packed in a way that is not read")),
        };
        if bytes.len() > limit { Err(Flaw::TooLarge) } else { Ok(bytes) }
    }
}
