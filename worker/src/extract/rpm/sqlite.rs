//! rpm's `Packages` table in an SQLite 3 file, with what only the write-ahead log holds.
//!
//! Format: <https://www.sqlite.org/fileformat2.html>.

use super::flaw::Flaw;
use super::pieces::Pieces;

mod btree;
mod pages;
mod record;
mod wal;

use pages::Pages;

/// Hands `each` the header of every package, and every flaw. Pages are read where they lie, each at most once.
pub(super) fn read<'a>(file: &'a [u8], log: Option<&'a [u8]>, each: &mut dyn FnMut(Result<Pieces<'a>, Flaw>)) {
    let mut pages = match Pages::open(file, log, each) {
        Ok(pages) => pages,
        Err(flaw) => return each(Err(flaw)),
    };
    let mut root = None;
    btree::rows(&mut pages, 1, &mut |row| match row {
        Ok(row) => root = root.or_else(|| record::table_root(&row.payload, b"Packages")),
        Err(flaw) => each(Err(flaw)),
    });
    let Some(root) = root else { return each(Err(Flaw::NoTable)) };
    btree::rows(&mut pages, root, &mut |row| {
        each(row.and_then(|row| record::blob(&row.payload).ok_or(Flaw::Record { page: row.page })));
    });
}
