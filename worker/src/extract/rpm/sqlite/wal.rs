//! SQLite's write-ahead log: the pages that committed transactions wrote and no checkpoint has moved into the file yet.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::collections::HashMap;

use super::super::flaw::Flaw;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Its last bit says in which byte order the checksums are reckoned; all numbers are big-endian.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// What the log adds to the file.
#[derive(Debug, Default)]
pub(super) struct Log<'a> {
    /// The newest committed content of each page that the log holds.
    pub(super) pages: HashMap<u32, &'a [u8]>,
    /// How many pages the database has as of the last commit; `None` where the log has no commit.
    pub(super) database_pages: Option<u32>,
}

/// Reads up to the last commit. Frames of another salt are left from before the last checkpoint, and what follows the
/// last commit never happened, even where a transaction that was rolled back has left frames of the right salt there:
/// neither is a flaw.
pub(super) fn read(log: &[u8], page_size: usize) -> (Log<'_>, Option<Flaw>) {
    let mut committed = Log::default();
    if log.is_empty() {
        return (committed, None);
    }
    let Some((header, frames)) = log.split_first_chunk::<HEADER>() else { return (committed, Some(Flaw::Log)) };
    let sums = Checksum::of_log(number(header, 0));
    let sums = sums.filter(|_| number(header, 4) == VERSION && number(header, 8) as usize == page_size);
    let Some(mut sums) = sums else { return (committed, Some(Flaw::Log)) };
    sums.add(&header[..24]);
    if !sums.matches(&header[24..]) {
        return (committed, Some(Flaw::Log));
    }
    let mut pending = Vec::new();
    let mut frames = frames.chunks_exact(FRAME_HEADER + page_size).take_while(|frame| frame[8..16] == header[16..24]);
    let mut count = 0;
    while let Some(frame) = frames.next() {
        count += 1;
        let (head, page) = frame.split_at(FRAME_HEADER);
        sums.add(&head[..8]);
        sums.add(page);
        let page_number = number(head, 0);
        if !sums.matches(&head[16..]) || page_number == 0 {
            let loses_a_commit = std::iter::once(frame).chain(frames).any(|frame| number(frame, 4) != 0);
            return (committed, loses_a_commit.then_some(Flaw::Frame(count)));
        }
        pending.push((page_number, page));
        let database_pages = number(head, 4);
        if database_pages != 0 {
            committed.pages.extend(pending.drain(..));
            committed.database_pages = Some(database_pages);
        }
    }
    (committed, None)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_be_bytes)
}

/// The running checksum of header and frames.
struct Checksum {
    read: fn([u8; 4]) -> u32,
    sums: (u32, u32),
}

impl Checksum {
    fn of_log(magic: u32) -> Option<Self> {
        let read = if magic & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
        (magic & !1 == MAGIC).then_some(Self { read, sums: (0, 0) })
    }

    fn add(&mut self, bytes: &[u8]) {
        let (mut a, mut b) = self.sums;
        for pair in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
            a = a.wrapping_add((self.read)(pair[0])).wrapping_add(b);
            b = b.wrapping_add((self.read)(pair[1])).wrapping_add(a);
        }
        self.sums = (a, b);
    }

    fn matches(&self, stored: &[u8]) -> bool {
        (number(stored, 0), number(stored, 4)) == self.sums
    }
}
