//! SQLite's table b-trees: interior pages lead to leaves, leaves hold rows, long rows go on in overflow pages.

use super::super::flaw::Flaw;
use super::super::pieces::Pieces;
use super::pages::{FILE_HEADER, Pages};
use super::record::varint;

const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0d;

/// A row of a table.
pub(super) struct Row<'a> {
    /// The page that its cell is on.
    pub(super) page: u32,
    /// The record.
    pub(super) payload: Pieces<'a>,
}

/// Hands `each` every row of the tree at `root` and every flaw; a page that is malformed costs what is below it.
pub(super) fn rows<'a>(pages: &mut Pages<'a>, root: u32, each: &mut dyn FnMut(Result<Row<'a>, Flaw>)) {
    let mut waiting = vec![root];
    while let Some(number) = waiting.pop() {
        if let Err(flaw) = page(pages, number, &mut waiting, each) {
            each(Err(flaw));
        }
    }
}

fn page<'a>(
    pages: &mut Pages<'a>,
    number: u32,
    waiting: &mut Vec<u32>,
    each: &mut dyn FnMut(Result<Row<'a>, Flaw>),
) -> Result<(), Flaw> {
    let page = pages.take(number)?;
    let header = page.get(if number == 1 { FILE_HEADER } else { 0 }..).and_then(|rest| rest.first_chunk::<12>());
    let header = header.ok_or(Flaw::Page(number))?;
    let cells = usize::from(u16::from_be_bytes([header[3], header[4]]));
    let pointers = if number == 1 { FILE_HEADER } else { 0 } + if header[0] == INTERIOR { 12 } else { 8 };
    let pointers = page.get(pointers..pointers + 2 * cells).ok_or(Flaw::Page(number))?.as_chunks::<2>().0;
    let cells = pointers.iter().map(|&pointer| page.get(usize::from(u16::from_be_bytes(pointer))..).unwrap_or(&[]));
    match header[0] {
        INTERIOR => {
            waiting.push(u32::from_be_bytes([header[8], header[9], header[10], header[11]]));
            for cell in cells {
                match cell.first_chunk() {
                    Some(&child) => waiting.push(u32::from_be_bytes(child)),
                    None => each(Err(Flaw::Page(number))),
                }
            }
        }
        LEAF => {
            for cell in cells {
                each(row(pages, number, cell).map(|payload| Row { page: number, payload }));
            }
        }
        _ => return Err(Flaw::Page(number)),
    }
    Ok(())
}

/// The payload of a leaf's cell: what is on the leaf, then the chain of overflow pages.
fn row<'a>(pages: &mut Pages<'a>, page: u32, cell: &'a [u8]) -> Result<Pieces<'a>, Flaw> {
    let malformed = || Flaw::Record { page };
    let (payload_len, len_bytes) = varint(cell).ok_or_else(malformed)?;
    let (_row_id, id_bytes) = varint(&cell[len_bytes..]).ok_or_else(malformed)?;
    let rest = &cell[len_bytes + id_bytes..];
    let len = usize::try_from(payload_len).ok().filter(|&len| len <= pages.total_bytes()).ok_or_else(malformed)?;
    let local = local_bytes(len, pages.usable);
    let mut payload = Pieces::from(rest.get(..local).ok_or_else(malformed)?);
    if local == len {
        return Ok(payload);
    }
    let mut next = *rest[local..].first_chunk::<4>().ok_or_else(malformed)?;
    while payload.len() < len {
        let number = u32::from_be_bytes(next);
        if number == 0 {
            return Err(malformed());
        }
        let overflow = pages.take(number)?;
        let (link, content) = overflow.split_first_chunk().ok_or_else(malformed)?;
        payload.push(&content[..content.len().min(len - payload.len())]);
        next = *link;
    }
    Ok(payload)
}

/// How much of a payload stays on the leaf: all that fits, else so much that the last overflow page is full.
fn local_bytes(len: usize, usable: usize) -> usize {
    let max = usable - 35;
    if len <= max {
        return len;
    }
    let min = (usable - 12) * 32 / 255 - 23;
    let filling = min + (len - min) % (usable - 4);
    if filling <= max { filling } else { min }
}
