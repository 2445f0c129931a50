//! rpm's `Packages` table in an SQLite 3 file, with what only the write-ahead log holds.
//!
//! Format: <https://www.sqlite.org/fileformat2.html>.

use std::borrow::Cow;

use super::flaw::Flaw;
use super::pieces::Pieces;

mod btree;
mod pages;
mod record;
mod wal;

use btree::Row;
use pages::Pages;

/// Hands `each` the header of every package, and every flaw. Pages are read where they lie, each at most once.
pub(super) fn read<'a>(file: &'a [u8], log: Option<&'a [u8]>, each: &mut dyn FnMut(Result<Pieces<'a>, Flaw>)) {
    rows(file, log, b"Packages", &mut |row| {
        each(row.and_then(|row| record::blob(&row.payload).ok_or(Flaw::Record { page: row.page })));
    });
}

/// Hands `each` the first text of every row of another program's `table`, and what is wrong with the database.
pub(in super::super) fn first_texts<'a>(
    file: &'a [u8],
    log: Option<&'a [u8]>,
    table: &[u8],
    each: &mut dyn FnMut(Result<Cow<'a, [u8]>, Flaw>),
) {
    rows(file, log, table, &mut |row| {
        each(row.and_then(|row| record::first_text(&row.payload).ok_or(Flaw::Record { page: row.page })));
    });
}

fn rows<'a>(file: &'a [u8], log: Option<&'a [u8]>, table: &[u8], each: &mut dyn FnMut(Result<Row<'a>, Flaw>)) {
    let mut pages = match Pages::open(file, log, &mut |flaw| each(Err(flaw))) {
        Ok(pages) => pages,
        Err(flaw) => return each(Err(flaw)),
    };
    let mut root = None;
    btree::rows(&mut pages, 1, &mut |row| match row {
        Ok(row) => root = root.or_else(|| record::table_root(&row.payload, table)),
        Err(flaw) => each(Err(flaw)),
    });
    let Some(root) = root else { return each(Err(Flaw::NoTable)) };
    btree::rows(&mut pages, root, each);
}
