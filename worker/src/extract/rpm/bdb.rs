//! Berkeley DB's hash format, `Packages` before rpm 4.16: pages of pairs, long values in chains of overflow pages.
//!
//! Format: Berkeley DB's `dbinc/db_page.h`; numbers in the byte order of the machine that wrote the file.

use super::flaw::Flaw;
use super::pieces::Pieces;

const HASH_MAGIC: u32 = 0x0006_1561;
const BTREE_MAGIC: u32 = 0x0005_3162;
const META_BYTES: usize = 72;
const PAGE_HEADER: usize = 26;
/// Types of pages.
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;
/// Types of items.
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;

struct File<'a> {
    bytes: &'a [u8],
    page_size: usize,
    big_endian: bool,
    /// Which pages were part of a chain: no page is in two.
    taken: Vec<bool>,
}

/// Hands `each` the header of every package, and every flaw. Pages are read where they lie, in the order of the file:
/// each hash page belongs to some bucket, and to which is nothing to us.
pub(super) fn read<'a>(bytes: &'a [u8], each: &mut dyn FnMut(Result<Pieces<'a>, Flaw>)) {
    let (mut file, pages) = match open(bytes) {
        Ok(opened) => opened,
        Err(flaw) => return each(Err(flaw)),
    };
    let wants = pages * file.page_size as u64;
    if wants > bytes.len() as u64 {
        each(Err(Flaw::CutShort { has: bytes.len() as u64, wants }));
    }
    for (number, page) in (0..u32::MAX).zip(bytes.chunks_exact(file.page_size)).skip(1) {
        if matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            values(&mut file, number, page, each);
        }
    }
}

/// The file, and how many pages it says it has.
fn open(bytes: &[u8]) -> Result<(File<'_>, u64), Flaw> {
    if bytes.is_empty() {
        return Err(Flaw::Empty);
    }
    let meta = bytes.first_chunk::<META_BYTES>().ok_or(Flaw::Magic("Berkeley DB"))?;
    let magic = u32::from_le_bytes([meta[12], meta[13], meta[14], meta[15]]);
    let (big_endian, magic) = match magic {
        HASH_MAGIC | BTREE_MAGIC => (false, magic),
        other => (true, other.swap_bytes()),
    };
    let mut file = File { bytes, page_size: 0, big_endian, taken: Vec::new() };
    match magic {
        HASH_MAGIC => {}
        BTREE_MAGIC => return Err(Flaw::Unsupported("a Berkeley DB b-tree")),
        _ => return Err(Flaw::Magic("Berkeley DB")),
    }
    let version = file.u32(meta, 16);
    if !(7..=10).contains(&version) {
        return Err(Flaw::Version { format: "Berkeley DB hash", version });
    }
    let page_size = file.u32(meta, 20);
    if !(512..=65_536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(Flaw::PageSize(page_size));
    }
    const CHECKSUMMED: u8 = 1;
    if meta[24] != 0 || meta[26] & CHECKSUMMED != 0 {
        return Err(Flaw::Unsupported("encryption or checksums of Berkeley DB"));
    }
    if meta[25] != HASH_META {
        return Err(Flaw::Page(0));
    }
    file.page_size = page_size as usize;
    file.taken = vec![false; bytes.len() / file.page_size];
    let last_page = file.u32(meta, 32);
    Ok((file, u64::from(last_page) + 1))
}

/// The values of one hash page: items stand in pairs, key then value, each before the one before it.
fn values<'a>(file: &mut File<'a>, number: u32, page: &'a [u8], each: &mut dyn FnMut(Result<Pieces<'a>, Flaw>)) {
    let entries = usize::from(file.u16(page, 20));
    if entries % 2 != 0 || PAGE_HEADER + 2 * entries > page.len() {
        return each(Err(Flaw::Page(number)));
    }
    let mut end = page.len();
    let mut key = None;
    for entry in 0..entries {
        let start = usize::from(file.u16(page, PAGE_HEADER + 2 * entry));
        let Some(item) = page.get(start..end).filter(|item| !item.is_empty() && start >= PAGE_HEADER) else {
            return each(Err(Flaw::Page(number)));
        };
        end = start;
        if entry % 2 == 0 {
            key = Some(item);
        } else if key.take().is_some_and(is_package) {
            each(value(file, number, item));
        }
    }
}

/// Under package number 0 rpm keeps the highest number that it gave.
fn is_package(key: &[u8]) -> bool {
    key != [KEY_DATA, 0, 0, 0, 0]
}

fn value<'a>(file: &mut File<'a>, page: u32, item: &'a [u8]) -> Result<Pieces<'a>, Flaw> {
    match *item {
        [KEY_DATA, ref content @ ..] => Ok(Pieces::from(content)),
        [OFF_PAGE, _, _, _, ref chain @ ..] if chain.len() >= 8 => {
            let (first, len) = (file.u32(chain, 0), file.u32(chain, 4));
            file.chain(first, len as usize).and_then(|content| content.ok_or(Flaw::Record { page }))
        }
        _ => Err(Flaw::Record { page }),
    }
}

impl<'a> File<'a> {
    /// The `len` bytes that the chain of overflow pages holds; `None` where it holds fewer.
    fn chain(&mut self, first: u32, len: usize) -> Result<Option<Pieces<'a>>, Flaw> {
        let mut content = Pieces::default();
        let mut next = first;
        while content.len() < len {
            // Page 0 is the file's header, and so ends a chain.
            if next == 0 {
                return Ok(None);
            }
            let start = (next as usize).saturating_mul(self.page_size);
            let page = self.bytes.get(start..start.saturating_add(self.page_size)).ok_or(Flaw::PageMissing(next))?;
            match self.taken.get_mut(next as usize) {
                Some(taken) if !*taken => *taken = true,
                _ => return Err(Flaw::PageTwice(next)),
            }
            // The field that tells the free space of other pages tells the length here.
            let used = usize::from(self.u16(page, 22));
            let used = page.get(PAGE_HEADER..PAGE_HEADER + used).filter(|_| page[25] == OVERFLOW);
            let used = used.ok_or(Flaw::Page(next))?;
            content.push(&used[..used.len().min(len - content.len())]);
            next = self.u32(page, 16);
        }
        Ok(Some(content))
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        let number = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self.big_endian { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let number = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) }
    }
}
