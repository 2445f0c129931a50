//! Lays the chosen records out in sections and writes the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rayon::slice::ParallelSliceMut;

use super::choice::Record;
use super::{CompileError, Summary};
use crate::advisory::codec::{put_number, put_text};
use crate::advisory::{index, layout};

/// How many records, by id, may lend their score to one name.
const LENDERS: usize = 32;

/// Writes `records`, sorted by id, to the new file `out`, and completes `summary`.
pub(super) fn write(records: Vec<Record>, summary: &mut Summary, out: &Path) -> Result<(), CompileError> {
    let ecosystems = ecosystems(&records, summary)?;
    let mut advisories = Vec::new();
    let mut entries = Vec::new();
    let mut lent: Vec<(Box<str>, u64)> = Vec::new();
    for record in records {
        if record.withdrawn {
            summary.withdrawn += 1;
            continue;
        }
        let offset = advisories.len() as u64;
        if record.entries.is_empty() {
            summary.without_package += 1;
            if record.lends_to.is_empty() {
                continue;
            }
        } else {
            summary.advisories += 1;
        }
        advisories.extend_from_slice(&record.head);
        lent.extend(record.lends_to.into_iter().map(|id| (id, offset)));
        for entry in record.entries {
            summary.ranges += entry.ranges;
            entries.push((entry.ecosystem, entry.name, offset, entry.bytes));
        }
    }
    // Equal entries of one advisory are the same statement twice.
    entries.par_sort_unstable();
    entries.dedup();
    lent.sort_unstable();
    lent.dedup();

    let mut packages = Vec::new();
    let mut package_keys = Vec::new();
    for block in entries.chunk_by(|a, b| (&a.0, &a.1) == (&b.0, &b.1)) {
        let Some((ecosystem, name, ..)) = block.first() else { continue };
        package_keys.push((index::hash(ecosystem, name), packages.len() as u64));
        put_text(&mut packages, ecosystem);
        put_text(&mut packages, name);
        put_number(&mut packages, block.len() as u64);
        for (_, _, offset, bytes) in block {
            put_number(&mut packages, *offset);
            packages.extend_from_slice(bytes);
        }
    }
    drop(entries);

    let mut lenders = Vec::new();
    let mut lender_keys = Vec::new();
    for block in lent.chunk_by(|a, b| a.0 == b.0) {
        let Some((id, _)) = block.first() else { continue };
        lender_keys.push((index::hash("", id), lenders.len() as u64));
        put_text(&mut lenders, id);
        put_number(&mut lenders, block.len().min(LENDERS) as u64);
        for (_, offset) in block.iter().take(LENDERS) {
            put_number(&mut lenders, *offset);
        }
    }
    let index = index::build(&package_keys).ok_or(CompileError::TooLarge)?;
    let lender_index = index::build(&lender_keys).ok_or(CompileError::TooLarge)?;
    let sections = [ecosystems, advisories, packages, index, lenders, lender_index];
    (summary.digest, summary.bytes) =
        file(&sections, out).map_err(|error| CompileError::Io { path: out.to_owned(), error })?;
    Ok(())
}

/// The table of ecosystems, sorted by name.
fn ecosystems(records: &[Record], summary: &mut Summary) -> Result<Vec<u8>, CompileError> {
    let mut table: BTreeMap<&str, (u64, u64, blake3::Hasher)> = BTreeMap::new();
    for record in records {
        let mut named: Vec<&str> = record.entries.iter().map(|entry| entry.ecosystem.as_ref()).collect();
        named.sort_unstable();
        named.dedup();
        for ecosystem in named {
            let (advisories, withdrawn, digest) = table.entry(ecosystem).or_default();
            *if record.withdrawn { withdrawn } else { advisories } += 1;
            digest.update(&record.content);
        }
    }
    if table.is_empty() {
        return Err(CompileError::Nothing);
    }
    let mut bytes = Vec::new();
    put_number(&mut bytes, table.len() as u64);
    for (name, (advisories, withdrawn, digest)) in table {
        put_text(&mut bytes, name);
        put_number(&mut bytes, advisories);
        put_number(&mut bytes, withdrawn);
        bytes.extend_from_slice(digest.finalize().as_bytes());
        summary.ecosystems.insert(name.to_owned(), advisories);
    }
    Ok(bytes)
}

/// Writes the file; its digest and its length.
fn file(sections: &[Vec<u8>; layout::SECTIONS], out: &Path) -> std::io::Result<([u8; 32], u64)> {
    let header = layout::header(sections.each_ref().map(Vec::len));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    for section in sections {
        hasher.update_rayon(section);
    }
    let digest = hasher.finalize();
    let mut file = BufWriter::new(File::create(out)?);
    file.write_all(layout::MAGIC)?;
    file.write_all(digest.as_bytes())?;
    file.write_all(&header)?;
    for section in sections {
        file.write_all(section)?;
    }
    let file = file.into_inner()?;
    file.sync_all()?;
    Ok((digest.into(), file.metadata()?.len()))
}
