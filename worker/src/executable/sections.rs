//! The sections of a program by their names, read from what was kept of it.

use lazaret::inventory::GapKind;

use super::header::{Header, Section};
use super::kept::Kept;

/// `SHT_PROGBITS` and `SHT_NOBITS`: contents in the file, and none.
pub(super) const WITH_CONTENTS: u32 = 1;
const WITHOUT_CONTENTS: u32 = 8;

/// The section headers of one file, and the section of their names.
pub(super) struct Sections<'k> {
    header: Header,
    kept: &'k Kept,
    table: &'k [u8],
    names: &'k [u8],
}

/// The contents of the section of this name in an ELF file that is in memory; `None` where it has none. A gap where the file
/// is no ELF file.
pub(crate) fn section_of(file: &[u8], name: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
    let header = Header::parse(file).ok_or_else(|| (GapKind::Malformed, "no ELF file".to_owned()))?;
    let mut kept = Kept::default();
    kept.start(std::iter::once(0..u64::MAX), file.len(), u64::MAX);
    kept.feed(file);
    kept.seal();
    let Some(sections) = Sections::read(&header, &kept)? else { return Ok(None) };
    let Some(section) = sections.find(&[name]) else { return Ok(None) };
    sections.contents(&section, "description").map(|contents| Some(contents.to_vec()))
}

/// Why sections cannot be read.
pub(crate) type Flaw = (GapKind, String);

impl<'k> Sections<'k> {
    /// The sections that the header speaks of; `None` if there are none, or none with a name.
    pub(super) fn read(header: &Header, kept: &'k Kept) -> Result<Option<Self>, Flaw> {
        if header.sections_at == 0 {
            return Ok(None);
        }
        let malformed = |what: &str| (GapKind::Malformed, format!("executable whose {what}"));
        let first = match kept.read(header.sections_at, header.section_bytes.into()) {
            Some(bytes) if header.section_headers_fit() => header.section(bytes),
            _ => None,
        };
        let first = first.ok_or_else(|| malformed("section headers are not where it says"))?;
        let count = if header.section_count == 0 { first.size } else { header.section_count.into() };
        let size = count.checked_mul(header.section_bytes.into()).ok_or_else(|| malformed("sections are too many"))?;
        let table = bytes_of(kept, header.sections_at, size, "section headers")?;

        let names_index =
            if header.names_index == Header::EXTENDED_INDEX { first.link } else { header.names_index.into() };
        if names_index == 0 {
            return Ok(None);
        }
        let names = table
            .chunks_exact(header.section_bytes.into())
            .nth(usize::try_from(names_index).unwrap_or(usize::MAX))
            .and_then(|bytes| header.section(bytes))
            .ok_or_else(|| malformed("section names are missing"))?;
        let names = bytes_of(kept, names.start, names.size, "section names")?;
        Ok(Some(Self { header: *header, kept, table, names }))
    }

    /// The first section with contents that has one of these names.
    pub(super) fn find(&self, names: &[&[u8]]) -> Option<Section> {
        let sections = self.table.chunks_exact(self.header.section_bytes.into());
        sections
            .filter_map(|bytes| self.header.section(bytes))
            .filter(|section| section.kind != WITHOUT_CONTENTS)
            .find(|section| names.iter().any(|name| self.is_named(section, name)))
    }

    /// The contents of a section, called `what` where they are missing.
    pub(super) fn contents(&self, section: &Section, what: &str) -> Result<&'k [u8], Flaw> {
        bytes_of(self.kept, section.start, section.size, what)
    }

    fn is_named(&self, section: &Section, name: &[u8]) -> bool {
        let found = usize::try_from(section.name).ok().and_then(|start| self.names.get(start..));
        found.and_then(|found| found.strip_prefix(name)).is_some_and(|rest| rest.first() == Some(&0))
    }
}

fn bytes_of<'k>(kept: &'k Kept, start: u64, size: u64, what: &str) -> Result<&'k [u8], Flaw> {
    if start.checked_add(size).is_none_or(|end| end > kept.position()) {
        return Err((GapKind::Malformed, format!("executable whose {what} lie beyond its end")));
    }
    kept.read(start, size).ok_or_else(|| (GapKind::Limit, format!("executable too large to keep its {what}")))
}
