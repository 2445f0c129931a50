//! Executables: what an ELF file says about its contents, read while it streams past and only as far as its headers ask.

mod auditable;
mod header;
mod kept;

use std::ops::Range;

use lazaret::inventory::{Facts, Gap, GapKind, Recognised};
use lazaret::path::LayerPath;

use self::header::{Header, Section, Segment};
use self::kept::Kept;

/// The name under which evidence and fingerprint know this reader, as they do an [`crate::extract::Extractor`].
pub const NAME: &str = "executable";

/// Raised with every change of what it yields.
pub const VERSION: u32 = 2;

/// Whether a file that starts so may be an executable.
pub fn is_elf(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"\x7fELF")
}

/// Reads one ELF file after the other, each from a stream of chunks, in bounded memory (at most 48 MiB, of which a
/// distribution's programs touch a tenth). Call [`Self::begin`], [`Self::feed`] for each chunk, [`Self::finish`].
///
/// What it looks for lies in read-only data segments (crate lists of early cargo-auditable), behind all segments (those
/// of today), or where the section headers say, should they come first. Code and writable data, most of a program, pass by.
#[derive(Default)]
pub struct ElfCapture {
    head: Vec<u8>,
    stage: Stage,
    kept: Kept,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    /// Not enough bytes yet to know what to keep.
    #[default]
    Head,
    Keeping(Header),
    /// Neither a program nor a shared object, or one without sections.
    Ignoring,
}

/// First bytes of a file that decide what of the rest is kept: room for 72 program headers, where linkers write about 12.
const HEAD_BYTES: usize = 4096;

/// The largest section of a program with its section headers first that is kept.
const MAX_SECTION: u64 = 8 << 20;

/// `SHT_PROGBITS` and `SHT_NOBITS`: contents in the file, and none.
const WITH_CONTENTS: u32 = 1;
const WITHOUT_CONTENTS: u32 = 8;

/// Sections that only Go's linkers write; a program with `.go.buildinfo` stripped away still has one of the others.
const GO_SECTIONS: [&[u8]; 3] = [b".go.buildinfo", b".gopclntab", b".note.go.buildid"];

impl ElfCapture {
    /// Starts a file, forgetting the one before. The buffers stay.
    pub fn begin(&mut self) {
        self.head.clear();
        self.stage = Stage::Head;
    }

    /// Takes the next bytes of the file, from its first on.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        if matches!(self.stage, Stage::Head) {
            let (head, rest) = chunk.split_at(chunk.len().min(HEAD_BYTES - self.head.len()));
            self.head.extend_from_slice(head);
            if self.head.len() < HEAD_BYTES {
                return;
            }
            self.decide();
            chunk = rest;
        }
        if matches!(self.stage, Stage::Keeping(_)) {
            self.kept.feed(chunk);
        }
    }

    /// Whether the file is a program or a shared object, and no object file or core dump; known once it has ended.
    pub fn is_program(&self) -> bool {
        Header::parse(&self.head).is_some_and(|header| matches!(header.kind, Header::EXECUTABLE | Header::SHARED))
    }

    /// Ends the file: the crates that it lists, or that it is a Go program, or nothing. A gap where its sections cannot
    /// be told, or where it has a crate list that cannot be read.
    pub fn finish(&mut self, path: &LayerPath) -> Facts {
        if matches!(self.stage, Stage::Head) {
            self.decide();
        }
        let Stage::Keeping(header) = std::mem::replace(&mut self.stage, Stage::Ignoring) else {
            return Facts::default();
        };
        self.kept.seal();
        facts(&header, &self.kept).unwrap_or_else(|(kind, reason)| Facts {
            gaps: vec![Gap { kind, path: path.clone(), reason }],
            ..Facts::default()
        })
    }

    fn decide(&mut self) {
        let header = Header::parse(&self.head)
            .filter(|header| matches!(header.kind, Header::EXECUTABLE | Header::SHARED) && header.sections_at != 0);
        let Some(header) = header else {
            self.stage = Stage::Ignoring;
            return;
        };
        if let Some(ranges) = sections_up_front(&header, &self.head) {
            self.kept.start(ranges, u64::MAX);
        } else {
            let loaded: Vec<Segment> = header.segments(&self.head).filter(|segment| segment.loaded).collect();
            let end = loaded.iter().map(|segment| segment.end).max().unwrap_or(0);
            self.kept.start(unskipped(&loaded, end).chain([section_table(&header)]), end);
        }
        self.kept.feed(&self.head);
        self.stage = Stage::Keeping(header);
    }
}

/// Where the section headers are, as far as the file header knows.
fn section_table(header: &Header) -> Range<u64> {
    let bytes = u64::from(header.section_bytes) * u64::from(header.section_count.max(1));
    header.sections_at..header.sections_at.saturating_add(bytes)
}

/// The ranges before `end` that are neither code nor writable data. Where nothing is read-only without being code (old
/// linkers), constants lie among the code.
fn unskipped(loaded: &[Segment], end: u64) -> impl Iterator<Item = Range<u64>> {
    let constant = |segment: &Segment| !segment.writable && !segment.executable;
    let separate = loaded.iter().any(constant);
    let (skipped, wanted): (Vec<Segment>, Vec<Segment>) =
        loaded.iter().partition(|segment| segment.writable || segment.executable && separate);
    let mut skipped: Vec<Range<u64>> = skipped.iter().map(|segment| segment.start..segment.end).collect();
    skipped.sort_unstable_by_key(|range| range.start);
    let mut ranges: Vec<Range<u64>> = wanted.iter().map(|segment| segment.start..segment.end).collect();
    let mut at = 0;
    for range in skipped {
        ranges.push(at..range.start);
        at = at.max(range.end);
    }
    ranges.push(at..end);
    ranges.into_iter()
}

/// Where the section headers stand at the start of the file (Go's linker): the sections that could hold something, and
/// the headers themselves.
fn sections_up_front(header: &Header, head: &[u8]) -> Option<Vec<Range<u64>>> {
    let table = section_table(header);
    let bytes = head.get(usize::try_from(table.start).ok()?..usize::try_from(table.end).ok()?)?;
    if header.section_count == 0 || !header.section_headers_fit() {
        return None;
    }
    let sections = bytes.chunks_exact(header.section_bytes.into()).filter_map(|bytes| header.section(bytes));
    let kept = sections.enumerate().filter(|(index, section)| {
        let data = section.kind == WITH_CONTENTS && !section.changes_or_runs && section.size <= MAX_SECTION;
        data || *index == usize::from(header.names_index)
    });
    let ranges = kept.map(|(_, section)| section.start..section.start.saturating_add(section.size));
    Some(ranges.chain([table]).collect())
}

/// What the sections tell.
fn facts(header: &Header, kept: &Kept) -> Result<Facts, (GapKind, String)> {
    let malformed = |what: &str| (GapKind::Malformed, format!("executable whose {what}"));
    let first = match kept.read(header.sections_at, header.section_bytes.into()) {
        Some(bytes) if header.section_headers_fit() => header.section(bytes),
        _ => None,
    };
    let first = first.ok_or_else(|| malformed("section headers are not where it says"))?;
    let count = if header.section_count == 0 { first.size } else { header.section_count.into() };
    let size = count.checked_mul(header.section_bytes.into()).ok_or_else(|| malformed("sections are too many"))?;
    let table = bytes_of(kept, header.sections_at, size, "section headers")?;
    let section = |bytes| header.section(bytes).filter(|section| section.kind != WITHOUT_CONTENTS);
    let sections = || table.chunks_exact(header.section_bytes.into()).filter_map(section);

    let names_index = if header.names_index == Header::EXTENDED_INDEX { first.link } else { header.names_index.into() };
    if names_index == 0 {
        return Ok(Facts::default());
    }
    let names = table
        .chunks_exact(header.section_bytes.into())
        .nth(usize::try_from(names_index).unwrap_or(usize::MAX))
        .and_then(|bytes| header.section(bytes))
        .ok_or_else(|| malformed("section names are missing"))?;
    let names = bytes_of(kept, names.start, names.size, "section names")?;

    let mut facts = Facts::default();
    if sections().any(|section| GO_SECTIONS.iter().any(|name| is_named(&section, name, names))) {
        facts.recognised = Some(Recognised::GoBinary);
    }
    if let Some(list) = sections().find(|section| is_named(section, b".dep-v0", names)) {
        let bytes = bytes_of(kept, list.start, list.size, "crate list")?;
        facts.packages = auditable::crates(bytes).map_err(|error| (GapKind::Malformed, error.to_string()))?;
    }
    Ok(facts)
}

fn bytes_of<'a>(kept: &'a Kept, start: u64, size: u64, what: &str) -> Result<&'a [u8], (GapKind, String)> {
    if start.checked_add(size).is_none_or(|end| end > kept.position()) {
        return Err((GapKind::Malformed, format!("executable whose {what} lie beyond its end")));
    }
    kept.read(start, size).ok_or_else(|| (GapKind::Limit, format!("executable too large to keep its {what}")))
}

fn is_named(section: &Section, name: &[u8], names: &[u8]) -> bool {
    let found = usize::try_from(section.name).ok().and_then(|start| names.get(start..));
    found.and_then(|found| found.strip_prefix(name)).is_some_and(|rest| rest.first() == Some(&0))
}

#[cfg(test)]
mod tests;
