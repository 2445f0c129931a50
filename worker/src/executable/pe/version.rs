//! The version resource of a portable executable.
//!
//! Formats: the resource tree of <https://learn.microsoft.com/windows/win32/debug/pe-format>, and
//! <https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo>.

use super::{u16_at, u32_at};

/// `RT_VERSION`.
const VERSION: u32 = 16;

/// Entries of one directory, tables of strings and strings of a table that are looked at; there are some ten of the last.
const MAX_ENTRIES: usize = 256;
const MAX_TABLES: usize = 8;
const MAX_STRINGS: usize = 64;

/// The longest string that is read, in units of UTF-16.
const MAX_UNITS: usize = 256;

/// The strings that matter.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Strings {
    product_version: Option<String>,
    file_version: Option<String>,
    /// `OriginalFilename`.
    pub(super) original_name: Option<String>,
}

impl Strings {
    /// The version of the package: that of the product, which is the package's wherever one was built from a project, without
    /// the commit behind a `+`; else that of the file. Neither, if it is no version, or the one that stands for none.
    pub(super) fn version(&self) -> Option<&str> {
        [&self.product_version, &self.file_version].into_iter().find_map(|text| version(text.as_deref()?))
    }
}

/// `8.0.1-rc.1+0a2e291c` without the commit: two to four numbers and what makes it a pre-release. Microsoft had words behind
/// it once (`4.6.1055.0 built by: NETFXREL2`).
fn version(text: &str) -> Option<&str> {
    let version = text.trim_start().split(|c: char| c == '+' || c.is_whitespace()).next()?;
    let (numbers, label) = version.split_once('-').map_or((version, None), |(numbers, label)| (numbers, Some(label)));
    let is_number = |part: &str| !part.is_empty() && part.len() <= 10 && part.bytes().all(|b| b.is_ascii_digit());
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    let sound = numbers.split('.').all(is_number) && (2..=4).contains(&numbers.split('.').count());
    let says = numbers.bytes().any(|b| (b'1'..=b'9').contains(&b)) || label.is_some();
    (sound && says && label.is_none_or(is_label)).then_some(version)
}

/// The strings of the version resource in `section`, which lies at `address` in memory and whose resources begin at `start`.
pub(super) fn strings(section: &[u8], address: u32, start: u32) -> Option<Strings> {
    let tree = section.get(usize::try_from(start.checked_sub(address)?).ok()?..)?;
    let named = |offset: usize, wanted: Option<u32>| {
        let entries = usize::from(u16_at(tree, offset + 12)?) + usize::from(u16_at(tree, offset + 14)?);
        let entries = (0..entries.min(MAX_ENTRIES)).map(|index| offset + 16 + 8 * index);
        let mut found = entries.filter(|&at| wanted.is_none_or(|wanted| u32_at(tree, at) == Some(wanted)));
        u32_at(tree, found.next()? + 4)
    };
    let below = |entry: u32| usize::try_from(entry & 0x7fff_ffff).ok().filter(|_| entry & 0x8000_0000 != 0);
    // Kind, name and language: of the last two there is one each.
    let names = below(named(0, Some(VERSION))?)?;
    let languages = below(named(names, None)?)?;
    let data = usize::try_from(named(languages, None)?).ok()?;
    let (at, size) = (u32_at(tree, data)?.checked_sub(address)?, u32_at(tree, data + 4)?);
    let resource = section.get(usize::try_from(at).ok()?..)?;
    let resource = resource.get(..usize::try_from(size).ok()?)?;
    let mut strings = Strings::default();
    let info = Block::read(resource)?;
    for child in info.children().filter(|child| child.key == "StringFileInfo").take(MAX_TABLES) {
        for table in child.children().take(MAX_TABLES) {
            table.children().take(MAX_STRINGS).for_each(|string| strings.take(&string));
        }
    }
    Some(strings)
}

impl Strings {
    fn take(&mut self, string: &Block<'_>) {
        let field = match string.key.as_str() {
            "ProductVersion" => &mut self.product_version,
            "FileVersion" => &mut self.file_version,
            "OriginalFilename" => &mut self.original_name,
            _ => return,
        };
        if field.is_none() {
            *field = text(string.value).map(|(text, _)| text.trim().to_owned()).filter(|text| !text.is_empty());
        }
    }
}

/// One of the blocks that a version resource is nested of: a key, a value, and blocks behind that.
struct Block<'a> {
    key: String,
    value: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Block<'a> {
    /// The block that `bytes` start with.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.get(..usize::from(u16_at(bytes, 0)?))?;
        let (value_size, is_text) = (usize::from(u16_at(bytes, 2)?), u16_at(bytes, 4)? == 1);
        let (key, key_bytes) = text(bytes.get(6..)?)?;
        let start = (6 + key_bytes).next_multiple_of(4).min(bytes.len());
        // Of a text the size is in units of two bytes; where some wrote bytes, the block ends first.
        let size = if is_text { 2 * value_size } else { value_size };
        let end = start.saturating_add(size).min(bytes.len());
        let rest = bytes.get(end.next_multiple_of(4)..).unwrap_or_default();
        Some(Self { key, value: bytes.get(start..end)?, rest })
    }

    fn children(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let child = Block::read(rest)?;
            let size = usize::from(u16_at(rest, 0)?).max(1).next_multiple_of(4);
            rest = rest.get(size..).unwrap_or_default();
            Some(child)
        })
    }
}

/// The text that `bytes` start with, up to a zero or their end, and how many bytes it takes with that. One that is longer than
/// any of ours is read no further, and its size is that of what was read.
fn text(bytes: &[u8]) -> Option<(String, usize)> {
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let units: Vec<u16> = units.take(MAX_UNITS).take_while(|&unit| unit != 0).collect();
    let size = 2 * (units.len() + 1);
    Some((String::from_utf16(&units).ok()?, size))
}
