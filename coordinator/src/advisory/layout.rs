//! The layout of a snapshot file: header, sections, and how advisories and package blocks are written in them.
//!
//! ```text
//! magic "lazaret\0advisories" · 32 bytes BLAKE3 of all that follows · u32 layout version · u32 number of sections ·
//! (u64 offset, u64 length) of each section
//! ECOSYSTEMS  list of: name, advisories, withdrawn, 32 bytes of digest
//! ADVISORIES  heads, one after the other
//! PACKAGES    blocks: ecosystem, name, list of (offset of the head, what it says about this package)
//! INDEX       (ecosystem, name) → offset in PACKAGES
//! LENDERS     blocks: id, list of offsets of heads that carry a CVSS vector for it
//! LENDER_INDEX  id → offset in LENDERS
//! ```
//!
//! Everything is sorted and nothing is aligned, so equal inputs give equal bytes on every machine.

use std::borrow::Cow;

use super::codec::{Damaged, Reader, put_number, put_text, put_texts};
use super::record::{Advisory, Affected, Event, EventKind, Range, Severity};

/// What a snapshot file begins with.
pub(super) const MAGIC: &[u8; 18] = b"lazaret\0advisories";
/// Moved by every change of the layout, of the names under which packages stand in it, and of a version's order.
pub(super) const VERSION: u32 = 2;
/// The number of sections.
pub(super) const SECTIONS: usize = 6;
/// Where the digest ends and what it covers begins.
pub(super) const DIGEST_END: usize = MAGIC.len() + 32;
/// Bytes before the first section.
const HEADER_BYTES: usize = DIGEST_END + 8 + SECTIONS * 16;

/// The places of the sections in the header.
pub(super) const ECOSYSTEMS: usize = 0;
pub(super) const ADVISORIES: usize = 1;
pub(super) const PACKAGES: usize = 2;
pub(super) const INDEX: usize = 3;
pub(super) const LENDERS: usize = 4;
pub(super) const LENDER_INDEX: usize = 5;

/// The part of the header that follows the digest, for sections of these lengths.
pub(super) fn header(lengths: [usize; SECTIONS]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES - DIGEST_END);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&(SECTIONS as u32).to_le_bytes());
    let mut offset = HEADER_BYTES as u64;
    for length in lengths {
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(&(length as u64).to_le_bytes());
        offset += length as u64;
    }
    out
}

/// Why a file is no snapshot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    Magic,
    Version(u32),
    Damaged,
}

/// The digest and the byte ranges of the sections, all inside the file.
pub(super) fn sections(file: &[u8]) -> Result<([u8; 32], [std::ops::Range<usize>; SECTIONS]), HeaderError> {
    let rest = file.strip_prefix(MAGIC).ok_or(HeaderError::Magic)?;
    let mut reader = Reader::new(rest);
    let mut array = |count: usize| reader.bytes(count).map_err(|Damaged| HeaderError::Damaged);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let digest = array(32)?.try_into().map_err(|_| HeaderError::Damaged)?;
    let version = word(array(4)?) as u32;
    if version != VERSION {
        return Err(HeaderError::Version(version));
    }
    if word(array(4)?) != SECTIONS as u64 {
        return Err(HeaderError::Damaged);
    }
    let mut ranges: [std::ops::Range<usize>; SECTIONS] = std::array::from_fn(|_| 0..0);
    for range in &mut ranges {
        let (start, length) = (word(array(8)?), word(array(8)?));
        let end = start.checked_add(length).filter(|&end| end <= file.len() as u64).ok_or(HeaderError::Damaged)?;
        *range = start as usize..end as usize;
    }
    Ok((digest, ranges))
}

/// Writes what all packages of an advisory share.
pub(super) fn put_head(out: &mut Vec<u8>, advisory: &Advisory<'_>) {
    put_text(out, &advisory.id);
    put_text(out, &advisory.published);
    put_text(out, &advisory.summary);
    put_texts(out, &advisory.aliases);
    put_texts(out, &advisory.upstream);
    put_texts(out, &advisory.related);
    put_severity(out, &advisory.severity);
}

/// Reads what [`put_head`] wrote.
pub(super) fn head<'a>(reader: &mut Reader<'a>) -> Result<Advisory<'a>, Damaged> {
    Ok(Advisory {
        id: reader.text()?.into(),
        published: reader.text()?.into(),
        summary: reader.text()?.into(),
        aliases: reader.list(borrowed)?,
        upstream: reader.list(borrowed)?,
        related: reader.list(borrowed)?,
        severity: severity(reader)?,
        ..Advisory::default()
    })
}

/// Writes what an advisory says about one package, without the package's name.
pub(super) fn put_affected(out: &mut Vec<u8>, affected: &Affected<'_>) {
    put_number(out, affected.ranges.len() as u64);
    for range in &affected.ranges {
        put_number(out, range.events.len() as u64);
        for event in &range.events {
            out.push(event.kind as u8);
            put_text(out, &event.version);
        }
    }
    put_texts(out, &affected.versions);
    put_severity(out, &affected.severity);
    put_optional(out, affected.module.as_deref());
}

/// Reads what [`put_affected`] wrote.
pub(super) fn affected<'a>(reader: &mut Reader<'a>) -> Result<Affected<'a>, Damaged> {
    Ok(Affected {
        ranges: reader.list(|reader| Ok(Range { events: reader.list(event)? }))?,
        versions: reader.list(borrowed)?,
        severity: severity(reader)?,
        module: optional(reader)?,
        ..Affected::default()
    })
}

fn event<'a>(reader: &mut Reader<'a>) -> Result<Event<'a>, Damaged> {
    const KINDS: [EventKind; 4] = [EventKind::Introduced, EventKind::Fixed, EventKind::LastAffected, EventKind::Limit];
    let kind = *KINDS.get(usize::from(reader.byte()?)).ok_or(Damaged)?;
    Ok(Event { kind, version: borrowed(reader)? })
}

fn put_severity(out: &mut Vec<u8>, severity: &Severity<'_>) {
    put_texts(out, &severity.vectors);
    put_optional(out, severity.word.as_deref());
}

fn severity<'a>(reader: &mut Reader<'a>) -> Result<Severity<'a>, Damaged> {
    Ok(Severity { vectors: reader.list(borrowed)?, word: optional(reader)? })
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_text(out, text);
    }
}

fn optional<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Damaged> {
    if reader.byte()? == 0 { Ok(None) } else { borrowed(reader).map(Some) }
}

fn borrowed<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, Damaged> {
    reader.text().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_entries_survive() {
        let advisory = Advisory {
            id: "X-1".into(),
            summary: "s".into(),
            aliases: vec!["CVE-1".into()],
            severity: Severity { vectors: vec!["v".into()], word: Some("low".into()) },
            ..Advisory::default()
        };
        let mut out = Vec::new();
        put_head(&mut out, &advisory);
        assert_eq!(head(&mut Reader::new(&out)), Ok(advisory));

        let kinds = [EventKind::Introduced, EventKind::Fixed, EventKind::LastAffected, EventKind::Limit];
        let events = kinds.map(|kind| Event { kind, version: format!("{kind:?}").into() }).to_vec();
        let entry = Affected {
            ranges: vec![Range { events }],
            versions: vec!["1".into()],
            module: Some("".into()),
            ..Affected::default()
        };
        let mut out = Vec::new();
        put_affected(&mut out, &entry);
        assert_eq!(affected(&mut Reader::new(&out)), Ok(entry));
        for length in 0..out.len() {
            assert_eq!(affected(&mut Reader::new(&out[..length])), Err(Damaged));
        }
    }

    #[test]
    fn sections_lie_inside_the_file() {
        let mut file = MAGIC.to_vec();
        file.resize(DIGEST_END, 0);
        file.extend(header([0, 1, 2, 3, 4, 5]));
        file.resize(file.len() + 15, 0);
        let (_, ranges) = sections(&file).unwrap();
        assert_eq!(ranges.iter().map(|range| range.len()).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        file.pop();
        assert_eq!(sections(&file), Err(HeaderError::Damaged));
        assert_eq!(sections(b"PK"), Err(HeaderError::Magic));
    }
}
