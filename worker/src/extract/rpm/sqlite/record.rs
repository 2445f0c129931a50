//! SQLite's record format: a header of serial types, then the values.

use std::borrow::Cow;

use super::super::pieces::Pieces;

/// More columns than rpm's table and the schema have, and than a header of a byte's length can count.
const MAX_HEADER: usize = 127;

/// What a column holds.
#[derive(Clone, Copy)]
struct Column {
    serial: u64,
    at: usize,
    len: usize,
}

/// The root page of the table of this name, if this row of the schema is about it.
pub(super) fn table_root(row: &Pieces<'_>, name: &[u8]) -> Option<u32> {
    let mut columns = columns(row)?;
    let (kind, found, _table, root) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let is = |column: Column, text: &[u8]| {
        is_text(column.serial) && row.read(column.at, column.len).is_some_and(|t| t.eq_ignore_ascii_case(text))
    };
    if !is(kind, b"table") || !is(found, name) {
        return None;
    }
    integer(row, root)
}

/// The first blob of the row. rpm's table has one: `Packages(hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)`.
pub(super) fn blob<'a>(row: &Pieces<'a>) -> Option<Pieces<'a>> {
    let blob = columns(row)?.find(|column| column.serial >= 12 && column.serial % 2 == 0)?;
    row.part(blob.at, blob.len)
}

/// The first text of the row.
pub(super) fn first_text<'a>(row: &Pieces<'a>) -> Option<Cow<'a, [u8]>> {
    let text = columns(row)?.find(|column| is_text(column.serial))?;
    row.read(text.at, text.len)
}

fn columns(row: &Pieces<'_>) -> Option<impl Iterator<Item = Column>> {
    let start = row.read(0, row.len().min(MAX_HEADER))?;
    let (header_len, mut at) = varint(&start)?;
    let mut value = usize::try_from(header_len).ok().filter(|&len| len <= start.len())?;
    let end = value;
    Some(std::iter::from_fn(move || {
        let (serial, bytes) = varint(start.get(at..end)?)?;
        at += bytes;
        let column = Column { serial, at: value, len: width(serial)? };
        value = value.checked_add(column.len)?;
        Some(column)
    }))
}

fn is_text(serial: u64) -> bool {
    serial >= 13 && serial % 2 == 1
}

/// How many bytes a value of this serial type has; `None` for the two that only SQLite itself uses.
fn width(serial: u64) -> Option<usize> {
    match serial {
        0 | 8 | 9 => Some(0),
        1..=4 => Some(serial as usize),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((serial - 12) / 2).ok(),
    }
}

fn integer(row: &Pieces<'_>, column: Column) -> Option<u32> {
    match column.serial {
        9 => Some(1),
        1..=6 => {
            let bytes = row.read(column.at, column.len)?;
            let value = bytes.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
            u32::try_from(value).ok()
        }
        _ => None,
    }
}

/// SQLite's variable-length integer, of up to nine bytes, and how many it took.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x80; 8]), None);
        assert_eq!(varint(&[]), None);
    }
}
