//! Applications of .NET in a single file: behind the program that runs them lie their files, the dependency manifest among
//! them, which is never compressed.
//!
//! Format: `Microsoft.NET.HostModel/Bundle` of <https://github.com/dotnet/runtime>. The program has a mark in its writable
//! data, and before it where the header of the bundle is, or zero; the header comes last and says where the manifest is.

use std::ops::Range;

use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::path::LayerPath;
use memchr::memmem::Finder;

use super::header::Segment;
use super::kept::Kept;
use super::search::Search;
use super::sections::Flaw;
use crate::extract::ClaimedFile;
use crate::extract::dotnet::DOTNET_DEPS;

/// The mark: SHA-256 of `.net core bundle`.
pub(super) const MARK: [u8; 32] = [
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32, 0x13, 0xf5, 0xb9,
    0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
];

/// With this the SDK begins every dependency manifest, but for a brace and white space.
const KEY: &[u8] = b"\"runtimeTarget\"";
const MAX_BEFORE_KEY: u64 = 8;

/// Manifests that are kept: one, and what looks like one.
const MAX_KEYS: usize = 8;

/// The largest manifest and the largest header that are kept.
const MAX_MANIFEST: u64 = 2 << 20;
const MAX_HEADER: u64 = 1 << 20;

/// Files of a bundle in which a manifest is looked for, where the header does not say itself where it is.
const MAX_FILES: usize = 4096;

/// What lies behind a program, kept as far as it may tell what is in it; offsets are those in the file.
pub(super) struct Bundle {
    header_at: u64,
    /// The first byte behind the program, from where on the rest counts.
    start: u64,
    search: Search,
    keys: Vec<u64>,
    kept: Kept,
}

impl Bundle {
    /// The bundle behind a program that ends at `start`, if the kept parts of the program have the mark of one.
    pub(super) fn behind(start: u64, program: &Kept) -> Option<Self> {
        let finder = Finder::new(&MARK);
        let header_at = program.runs().find_map(|bytes| {
            let before = finder.find(bytes)?.checked_sub(8)?;
            bytes.get(before..)?.first_chunk().map(|offset| u64::from_le_bytes(*offset))
        })?;
        let header = header_at.checked_sub(start)?;
        let mut search = Search::new(KEY, 1);
        search.start([Segment::of_file(0..u64::MAX)]);
        let mut kept = Kept::default();
        let room = MAX_KEYS as u64 * MAX_MANIFEST + MAX_HEADER;
        kept.start(std::iter::once(header..header.saturating_add(MAX_HEADER)), room as usize, u64::MAX);
        Some(Self { header_at, start, search, keys: Vec::new(), kept })
    }

    /// Takes the next bytes behind the program.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        for key in self.search.feed(chunk) {
            if self.keys.len() < MAX_KEYS {
                let behind = key.saturating_add(KEY.len() as u64);
                self.kept.also(behind..behind.saturating_add(MAX_MANIFEST));
                self.keys.push(key);
            }
        }
        self.kept.feed(chunk);
    }

    /// What the manifest of the application at `path` says; a gap where there is none, or none that can be read.
    pub(super) fn finish(mut self, path: &LayerPath) -> Facts {
        self.kept.seal();
        match self.manifest() {
            Ok(content) => (DOTNET_DEPS.extract)(&ClaimedFile { path, content: &content, companions: &[] }),
            Err((kind, what)) => {
                let reason = format!("application of .NET in a single file, {what}: what is in it is not known");
                Facts { gaps: vec![Gap { kind, path: path.clone(), reason }], ..Facts::default() }
            }
        }
    }

    fn manifest(&self) -> Result<Vec<u8>, Flaw> {
        let flaw = |kind, what: &str| (kind, what.to_owned());
        let at = self.header_at - self.start;
        let size = self.kept.position().saturating_sub(at).min(MAX_HEADER);
        let damaged = || flaw(GapKind::Malformed, "damaged");
        let header = self.kept.read(at, size).filter(|_| size > 0).ok_or_else(damaged)?;
        let mut header = Fields { rest: header };
        let (major, _minor) = (header.u32().ok_or_else(damaged)?, header.u32().ok_or_else(damaged)?);
        let place = match major {
            1 => header.place_in_files(),
            2 | 6 => header.place(),
            _ => return Err(flaw(GapKind::Unsupported, "of a format that is not known")),
        };
        let place = place.ok_or_else(damaged)?;
        if place.is_empty() {
            return Err(flaw(GapKind::Unread, "without a dependency manifest"));
        }
        let start = place.start.checked_sub(self.start).ok_or_else(damaged)?;
        let end = place.end - self.start;
        if end > self.kept.position() {
            return Err(damaged());
        }
        let near = |key: &&u64| (start..=start.saturating_add(MAX_BEFORE_KEY)).contains(*key);
        let key = self.keys.iter().find(near);
        let behind = key.map(|key| key + KEY.len() as u64).filter(|&behind| behind <= end);
        let behind =
            behind.ok_or_else(|| flaw(GapKind::Unread, "whose manifest begins in another way than they do"))?;
        let rest = self.kept.read(behind, end - behind);
        let rest = rest.ok_or_else(|| flaw(GapKind::Limit, "with a larger manifest than is read"))?;
        Ok([b"{", KEY, rest].concat())
    }
}

/// The fields of a header, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// A text, behind its size in seven bits a byte.
    fn text(&mut self) -> Option<&'a [u8]> {
        let mut size = 0;
        for shift in [0, 7, 14] {
            let byte = usize::from(*self.take(1)?.first()?);
            size |= (byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return self.take(size);
            }
        }
        None
    }

    fn range(&mut self) -> Option<Range<u64>> {
        let (start, size) = (self.u64()?, self.u64()?);
        Some(start..start.checked_add(size)?)
    }

    /// Where the manifest is, from the count of files on: since .NET 5 the header says it.
    fn place(&mut self) -> Option<Range<u64>> {
        self.u32()?;
        self.text()?;
        self.range()
    }

    /// The same of .NET Core 3, where it is one of the files.
    fn place_in_files(&mut self) -> Option<Range<u64>> {
        let count = self.u32()?;
        self.text()?;
        for _ in 0..usize::try_from(count).ok()?.min(MAX_FILES) {
            let range = self.range()?;
            self.take(1)?;
            if self.text()?.ends_with(b".deps.json") {
                return Some(range);
            }
        }
        Some(0..0)
    }
}

#[cfg(test)]
mod tests;
