//! Portable executables, of which the assemblies of .NET say in their version resource what they are.
//!
//! Formats: <https://learn.microsoft.com/windows/win32/debug/pe-format>, and for what makes an assembly ECMA-335, II.25.
//! Read are file header, sections and the resource section, as they stream past. Programs of Windows without a CLR header
//! say nothing here, for no advisory knows them by the names in their resources; unless a bundle of .NET's is behind them.

mod version;

use std::ops::Range;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{ASSEMBLY, Facts, Gap, GapKind};
use lazaret::package::Package;
use lazaret::path::LayerPath;

use self::version::Strings;
use super::bundle::Bundle;
use super::kept::Kept;
use super::sections::Flaw;
use crate::extract::word::is_word;

/// First bytes of a file in which its headers are; compilers write less than one of these four kilobytes.
const HEAD_BYTES: usize = 4096;

/// The largest section of resources that is kept; libraries with pictures in them have some megabytes.
const MAX_RESOURCES: usize = 8 << 20;

/// Bytes of writable data that are kept of a program; those that run applications of .NET have less than one.
const MAX_DATA: u64 = 4 << 20;

/// Directories of a portable executable: resources, and the CLR header.
const RESOURCES: usize = 2;
const CLR: usize = 14;

/// Whether a file that starts so may be a portable executable.
pub(crate) fn is_pe(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"MZ")
}

/// Whether a file may be an assembly by its name: who owns it is then worth remembering.
pub(crate) fn may_be_assembly(path: &[u8]) -> bool {
    path.last_chunk()
        .is_some_and(|end: &[u8; 4]| end.eq_ignore_ascii_case(b".dll") || end.eq_ignore_ascii_case(b".exe"))
}

/// Reads one portable executable after the other, as [`super::ElfCapture`] does.
#[derive(Default)]
pub struct PeCapture {
    head: Vec<u8>,
    decided: bool,
    image: Option<Image>,
    kept: Kept,
    bundle: Option<Bundle>,
}

/// What the headers say.
struct Image {
    managed: bool,
    /// Sections that are written to, and where the last section ends.
    data: Vec<Range<u64>>,
    end: u64,
    /// Where its resources begin in memory, and the section that they are in: its address and its place in the file.
    resources: Option<(u32, u32, Range<u64>)>,
}

impl PeCapture {
    /// Starts a file, forgetting the one before.
    pub fn begin(&mut self) {
        self.head.clear();
        self.decided = false;
        self.image = None;
        self.bundle = None;
    }

    /// Takes the next bytes of the file, from its first on.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        if !self.decided {
            let (head, rest) = chunk.split_at(chunk.len().min(HEAD_BYTES - self.head.len()));
            self.head.extend_from_slice(head);
            if self.head.len() < HEAD_BYTES {
                return;
            }
            self.decide();
            chunk = rest;
        }
        self.keep(chunk);
    }

    fn keep(&mut self, chunk: &[u8]) {
        let Some(image) = &self.image else { return };
        let position = self.kept.position();
        self.kept.feed(chunk);
        let behind = usize::try_from(image.end.saturating_sub(position)).ok().and_then(|skipped| chunk.get(skipped..));
        if let Some(behind) = behind.filter(|behind| !image.managed && !behind.is_empty()) {
            if position <= image.end {
                self.bundle = Bundle::behind(image.end, &self.kept);
            }
            if let Some(bundle) = &mut self.bundle {
                bundle.feed(behind);
            }
        }
    }

    fn decide(&mut self) {
        self.decided = true;
        self.image = Image::parse(&self.head);
        if let Some(image) = &self.image {
            let resources = image.resources.iter().map(|(.., range)| range.clone()).filter(|_| image.managed);
            let data = image.data.iter().map(|range| range.start..range.end.min(range.start + MAX_DATA));
            let data = data.filter(|_| !image.managed);
            self.kept.start(resources.chain(data), MAX_RESOURCES, u64::MAX);
        }
        let head = std::mem::take(&mut self.head);
        self.keep(&head);
        self.head = head;
    }

    /// Ends the file: the NuGet package that it may be from, or what keeps that from being told. What stands apart from its
    /// package by nature, such as translations, yields nothing, and so does what is no assembly.
    pub fn finish(&mut self, path: &LayerPath) -> Facts {
        if !self.decided {
            self.decide();
        }
        if let Some(bundle) = self.bundle.take() {
            return bundle.finish(path);
        }
        let image = self.image.take().filter(|image| image.managed && !is_part(path.as_bytes()));
        let Some(image) = image else { return Facts::default() };
        self.kept.seal();
        match self.package(&image, path) {
            Ok(package) => Facts { packages: vec![package], ..Facts::default() },
            Err((kind, reason)) => Facts { gaps: vec![Gap { kind, path: path.clone(), reason }], ..Facts::default() },
        }
    }

    fn package(&self, image: &Image, path: &LayerPath) -> Result<Package, Flaw> {
        let flaw = |kind, what: &str| (kind, format!("{ASSEMBLY} {what}"));
        let unknown = || flaw(GapKind::Unread, "that does not say its version");
        let (start, address, range) = image.resources.as_ref().ok_or_else(unknown)?;
        let size = range.end - range.start;
        if size > MAX_RESOURCES as u64 {
            return Err(flaw(GapKind::Limit, "with more resources than are read"));
        }
        // What the headers promise may lie beyond the end of a file that was cut.
        let section = self.kept.read(range.start, size);
        let section = section.ok_or_else(|| flaw(GapKind::Malformed, "that is cut short"))?;
        let strings = version::strings(section, *address, *start).ok_or_else(unknown)?;
        let version = strings.version().ok_or_else(unknown)?;
        let name = name(&strings, path).filter(|name| is_word(name));
        let name = name.ok_or_else(|| flaw(GapKind::Malformed, "with an invalid name"))?;
        Ok(Package::new(Ecosystem::NuGet, name, version))
    }
}

/// Whether the file is but a part of a package: translations (`X.resources.dll`), or what compilers read in place of the
/// library (`ref/net8.0/X.dll`), which has no code.
fn is_part(path: &[u8]) -> bool {
    let resources = path.last_chunk().is_some_and(|end: &[u8; 14]| end.eq_ignore_ascii_case(b".resources.dll"));
    let mut above = path.rsplit(|&b| b == b'/').skip(1).take(2);
    resources || above.any(|directory| directory == b"ref" || directory == b"refint")
}

/// The name that the compiler gave the file, which is the assembly's; what it is called now, where that is not said. Both
/// without the ending.
fn name(strings: &Strings, path: &LayerPath) -> Option<String> {
    let without_ending = |name: &str| Some(name.get(..name.len().checked_sub(4)?)?.to_owned());
    let original = strings.original_name.as_deref().filter(|name| may_be_assembly(name.as_bytes()));
    let own = || std::str::from_utf8(path.file_name()).ok();
    match original {
        Some(original) => without_ending(original),
        None => {
            own().and_then(|own| if may_be_assembly(own.as_bytes()) { without_ending(own) } else { Some(own.into()) })
        }
    }
}

impl Image {
    /// The headers at the start of a portable executable; `None` of anything else.
    fn parse(head: &[u8]) -> Option<Self> {
        if !is_pe(head) {
            return None;
        }
        let at = usize::try_from(u32_at(head, 0x3c)?).ok()?;
        let headers = head.get(at..)?.strip_prefix(b"PE\0\0")?;
        let (section_count, optional_bytes) = (u16_at(headers, 2)?, usize::from(u16_at(headers, 16)?));
        let optional = headers.get(20..)?;
        let directories_at = match u16_at(optional, 0)? {
            0x10b => 96,
            0x20b => 112,
            _ => return None,
        };
        let count = usize::try_from(u32_at(optional, directories_at - 4)?).ok()?;
        let directory = |index: usize| {
            let at = directories_at + 8 * index;
            let fits = index < count && at + 8 <= optional_bytes;
            u32_at(optional, at).filter(|&address| fits && address != 0)
        };
        let sections = optional.get(optional_bytes..)?.chunks_exact(40).take(section_count.into());
        let is_written = |header: &[u8]| u32_at(header, 36).is_some_and(|flags| flags & 0x8000_0000 != 0);
        let places = |header| section(header).map(|(_, range)| range);
        let data = sections.clone().filter(|header| is_written(header)).filter_map(places).collect();
        let end = sections.clone().filter_map(places).map(|range| range.end).max().unwrap_or(0);
        let resources = directory(RESOURCES).and_then(|start| {
            sections.filter_map(section).find_map(|(address, range)| {
                let inside = u64::from(start.checked_sub(address)?);
                (inside < range.end - range.start).then_some((start, address, range))
            })
        });
        Some(Self { managed: directory(CLR).is_some(), data, end, resources })
    }
}

/// Address and place of the section that this header is of.
fn section(header: &[u8]) -> Option<(u32, Range<u64>)> {
    let (address, size, start) = (u32_at(header, 12)?, u32_at(header, 16)?, u32_at(header, 20)?);
    Some((address, start.into()..u64::from(start) + u64::from(size)))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
