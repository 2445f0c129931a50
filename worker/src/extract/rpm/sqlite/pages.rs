//! The pages of an SQLite database: those of the file, with those of the write-ahead log in front.

use std::collections::HashSet;

use super::super::flaw::Flaw;
use super::wal::{self, Log};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The file header, at the start of page 1.
pub(super) const FILE_HEADER: usize = 100;

/// A database of which each page can be taken once.
pub(super) struct Pages<'a> {
    file: &'a [u8],
    log: Log<'a>,
    page_size: usize,
    /// Bytes of a page before the reserved ones at its end.
    pub(super) usable: usize,
    taken: HashSet<u32>,
}

impl<'a> Pages<'a> {
    /// Reads the file header and the log. A flaw of the log alone goes to `each`, and the file is read without it, or
    /// up to the damage, as SQLite itself would.
    pub(super) fn open(file: &'a [u8], log: Option<&'a [u8]>, each: &mut dyn FnMut(Flaw)) -> Result<Self, Flaw> {
        if file.is_empty() {
            return Err(Flaw::Empty);
        }
        let header = file.first_chunk::<FILE_HEADER>().filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or(Flaw::Magic("SQLite"))?;
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => usize::from(size),
            size => return Err(Flaw::PageSize(size.into())),
        };
        let (log, flaw) = wal::read(log.unwrap_or_default(), page_size);
        if let Some(flaw) = flaw {
            each(flaw);
        }
        let mut pages = Self { file, log, page_size, usable: page_size, taken: HashSet::new() };
        // The log may hold a newer page 1.
        let first = pages.page(1).and_then(|page| page.first_chunk::<FILE_HEADER>()).ok_or(Flaw::PageMissing(1))?;
        pages.usable = page_size - usize::from(first[20]);
        const SMALLEST_USABLE: usize = 480;
        if pages.usable < SMALLEST_USABLE {
            return Err(Flaw::PageSize(pages.usable as u32));
        }
        match u32::from_be_bytes([first[56], first[57], first[58], first[59]]) {
            0 | 1 => Ok(pages),
            2 | 3 => Err(Flaw::Unsupported("UTF-16 text")),
            _ => Err(Flaw::Page(1)),
        }
    }

    /// The usable bytes of the page, the first time it is asked for: no page has two places in a tree.
    pub(super) fn take(&mut self, number: u32) -> Result<&'a [u8], Flaw> {
        let page = self.page(number).ok_or(Flaw::PageMissing(number))?;
        if !self.taken.insert(number) {
            return Err(Flaw::PageTwice(number));
        }
        Ok(&page[..self.usable.min(page.len())])
    }

    /// No record can be longer than this.
    pub(super) fn total_bytes(&self) -> usize {
        self.file.len().saturating_add(self.log.pages.len().saturating_mul(self.page_size))
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        if let Some(database_pages) = self.log.database_pages {
            if number > database_pages {
                return None;
            }
            if let Some(page) = self.log.pages.get(&number) {
                return Some(page);
            }
        }
        let start = (number.checked_sub(1)? as usize).checked_mul(self.page_size)?;
        self.file.get(start..start.checked_add(self.page_size)?)
    }
}
