//! Which parts of a program are kept while it streams past.

use std::ops::Range;

use super::header::{Header, Section, Segment};
use super::kept::Kept;
use super::note;
use super::sections::WITH_CONTENTS;

/// Bytes of read-only data that are kept of one file: the read-only segments of the largest programs we know that carry
/// anything there are half of it.
const MAX_CONSTANTS: usize = 16 << 20;

/// The same where nothing is kept of the file's end.
const MAX_CONSTANTS_ALONE: usize = 32 << 20;

/// The largest sections of a program with its section headers first that are kept: those that are in memory when it
/// runs (before Go 1.18 strings of the build information lie anywhere in the constants), and the others.
const MAX_LOADED_SECTION: u64 = 24 << 20;
const MAX_SECTION: u64 = 8 << 20;

/// Bytes of writable data that are kept of one file, from its start: pointers of Go's build information lead there.
const MAX_DATA: u64 = 8 << 20;

/// Plans to keep what lies in read-only data segments (crate lists of early cargo-auditable), behind all segments (those
/// of today), or where the section headers say, should they come first; and the `notes`, wherever they are.
pub(super) fn constants(kept: &mut Kept, header: &Header, head: &[u8], segments: &[Segment], notes: &[Segment]) {
    let notes = notes.iter().map(note::range);
    if let Some(ranges) = sections_up_front(header, head) {
        kept.start(ranges.into_iter().chain(notes), MAX_CONSTANTS_ALONE, u64::MAX);
    } else {
        let end = segments.iter().map(|segment| segment.end).max().unwrap_or(0);
        kept.start(unskipped(segments, end).chain([section_table(header)]).chain(notes), MAX_CONSTANTS, end);
    }
}

/// Plans to keep the start of the writable data, and `more` bytes that are asked for on the way.
pub(super) fn data(kept: &mut Kept, segments: &[Segment], more: usize) {
    let mut room = MAX_DATA;
    let mut ranges = Vec::new();
    for segment in segments.iter().filter(|segment| segment.writable) {
        let size = segment.end.saturating_sub(segment.start).min(room);
        room -= size;
        ranges.push(segment.start..segment.start.saturating_add(size));
    }
    kept.start(ranges, MAX_DATA as usize + more, u64::MAX);
}

/// Where a program ends that has nothing behind it but, perhaps, sections that come after their headers.
pub(super) fn end(header: &Header, segments: &[Segment]) -> u64 {
    segments.iter().map(|segment| segment.end).max().unwrap_or(0).max(section_table(header).end)
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
    if header.sections_at == 0 || header.section_count == 0 || !header.section_headers_fit() {
        return None;
    }
    let sections = bytes.chunks_exact(header.section_bytes.into()).filter_map(|bytes| header.section(bytes));
    let is_kept = |index: usize, section: &Section| {
        let largest = if section.loaded { MAX_LOADED_SECTION } else { MAX_SECTION };
        let data = section.kind == WITH_CONTENTS && !section.changes_or_runs && section.size <= largest;
        data || index == usize::from(header.names_index)
    };
    let kept = sections.enumerate().filter(|(index, section)| is_kept(*index, section));
    let ranges = kept.map(|(_, section)| section.start..section.start.saturating_add(section.size));
    Some(ranges.chain([table]).collect())
}
