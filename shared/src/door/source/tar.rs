//! The headers of an image archive: a strict reader of ustar, PAX and GNU names that keeps nothing but the current one.

use std::io::{self, BufRead, Read};

use super::SourceError;

const BLOCK: u64 = 512;
/// The most entries an archive may have.
const MAX_ENTRIES: usize = 100_000;
/// The most bytes of a PAX header or a long name.
const MAX_EXTENSION: u64 = 1 << 20;

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The normal form of its name: no `.`, no `..`, no leading slash. Empty for names that leave the archive.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// How many bytes of content follow.
    pub(super) size: u64,
}

/// What an entry is, as far as an archive of images needs to know.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A symbolic or hard link to the entry of that normal name.
    Link(String),
    /// A directory, a device, a link out of the archive.
    Other,
}

/// A reader that can leave bytes out.
pub(super) trait Skip: Read {
    /// Leaves out `bytes` bytes; an error where there are not so many.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

/// Walks the entries of an archive.
pub(super) struct Headers<R> {
    reader: R,
    /// Content of the current entry that has not been read.
    content: u64,
    padding: u64,
    entries: usize,
    ended: bool,
}

impl<R: Skip> Headers<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, content: 0, padding: 0, entries: 0, ended: false }
    }

    pub(super) fn reader(&self) -> &R {
        &self.reader
    }

    pub(super) fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The next entry; what was not read of the one before is left out.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        let (mut long_name, mut long_link) = (None, None);
        let mut pax = Pax::default();
        loop {
            self.leave()?;
            let Some(header) = self.header()? else {
                let pending = long_name.is_some() || long_link.is_some() || pax != Pax::default();
                return if pending { Err(bad("it ends after an extension header")) } else { Ok(None) };
            };
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(bad(format!("more than {MAX_ENTRIES} entries")));
            }
            let kind = header[156];
            let mut size = number(&header[124..136])?;
            if matches!(kind, b'x' | b'g' | b'L' | b'K') {
                self.announce(size)?;
                let content = self.extension()?;
                match kind {
                    b'x' => pax = Pax::read(&content)?,
                    b'L' => long_name = Some(until_nul(&content).to_vec()),
                    b'K' => long_link = Some(until_nul(&content).to_vec()),
                    _ => {}
                }
                continue;
            }
            if let Some(stated) = pax.size {
                size = stated;
            }
            let name = pax.path.or(long_name).unwrap_or_else(|| ustar_name(&header));
            let link = pax.link.or(long_link).unwrap_or_else(|| until_nul(&header[157..257]).to_vec());
            let kind = match kind {
                b'0' | b'\0' | b'7' => Kind::File,
                b'1' => normal(&link, "").map_or(Kind::Other, Kind::Link),
                b'2' => linked(&name, &link).map_or(Kind::Other, Kind::Link),
                b'S' => return Err(bad("it has a sparse file")),
                _ => Kind::Other,
            };
            // Links and directories have no content, whatever their size field says.
            let size = if matches!(header[156], b'1'..=b'6') { 0 } else { size };
            self.announce(size)?;
            return Ok(Some(Entry { name: normal(&name, "").unwrap_or_default(), kind, size }));
        }
    }

    fn announce(&mut self, size: u64) -> Result<(), SourceError> {
        if size > i64::MAX as u64 / 2 {
            return Err(bad("an entry of impossible size"));
        }
        self.content = size;
        self.padding = size.wrapping_neg() % BLOCK;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), SourceError> {
        let rest = std::mem::take(&mut self.content) + std::mem::take(&mut self.padding);
        self.reader.skip(rest).map_err(cut)
    }

    fn header(&mut self) -> Result<Option<[u8; BLOCK as usize]>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        let mut block = [0; BLOCK as usize];
        if !self.block(&mut block)? {
            self.ended = true;
            // A writer that leaves the end mark out has at least written something.
            return if self.entries > 0 { Ok(None) } else { Err(bad("it is empty")) };
        }
        if block.iter().all(|&byte| byte == 0) {
            self.ended = true;
            return match self.block(&mut block)? {
                true if block.iter().any(|&byte| byte != 0) => Err(bad("entries go on after the end mark")),
                _ => Ok(None),
            };
        }
        let stated = number(&block[148..156])?;
        let plain = |sum: i64, (at, &byte): (usize, &u8)| {
            sum + if (148..156).contains(&at) { i64::from(b' ') } else { i64::from(byte) }
        };
        if block.iter().enumerate().fold(0, plain) != i64::try_from(stated).unwrap_or(-1) {
            return Err(bad("a header has a wrong checksum"));
        }
        Ok(Some(block))
    }

    /// Fills a block; false at the end of the file, an error in the middle of a block.
    fn block(&mut self, block: &mut [u8]) -> Result<bool, SourceError> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.reader.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(cut(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(cut(error)),
            }
        }
        Ok(true)
    }

    fn extension(&mut self) -> Result<Vec<u8>, SourceError> {
        let size = std::mem::take(&mut self.content);
        if size > MAX_EXTENSION {
            return Err(bad("an extension header is too long"));
        }
        let mut content = vec![0; size as usize];
        self.reader.read_exact(&mut content).map_err(cut)?;
        Ok(content)
    }
}

impl<R: Skip + BufRead> Headers<R> {
    /// The content of the current entry.
    pub(super) fn content(&mut self) -> Content<'_, R> {
        Content { reader: &mut self.reader, left: &mut self.content }
    }
}

/// The content of an entry; an archive that ends in it is an error.
pub(super) struct Content<'a, R> {
    reader: &'a mut R,
    left: &'a mut u64,
}

impl<R: BufRead> BufRead for Content<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if *self.left == 0 {
            return Ok(&[]);
        }
        let buffer = self.reader.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in the middle of an entry"));
        }
        let usable = usize::try_from(*self.left).unwrap_or(usize::MAX).min(buffer.len());
        Ok(buffer.get(..usable).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        *self.left = self.left.saturating_sub(amount as u64);
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Content<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// The records of a PAX header that matter here.
#[derive(Default, PartialEq, Eq)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Pax {
    fn read(mut records: &[u8]) -> Result<Self, SourceError> {
        let malformed = || bad("a malformed PAX header");
        let mut pax = Self::default();
        while !records.is_empty() {
            let space = records.iter().take(20).position(|&b| b == b' ').ok_or_else(malformed)?;
            let (digits, _) = records.split_at(space);
            let length: usize = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok()).ok_or_else(malformed)?;
            let record = records.get(space + 1..length).ok_or_else(malformed)?;
            records = records.get(length..).ok_or_else(malformed)?;
            let record = record.strip_suffix(b"\n").ok_or_else(malformed)?;
            let equals = record.iter().position(|&b| b == b'=').ok_or_else(malformed)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => pax.path = Some(value.to_vec()),
                b"linkpath" => pax.link = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|d| d.parse().ok());
                    pax.size = Some(size.ok_or_else(malformed)?);
                }
                _ => {}
            }
        }
        Ok(pax)
    }
}

/// A numeric field: octal digits between blanks, or base 256 where the top bit is set.
fn number(field: &[u8]) -> Result<u64, SourceError> {
    let malformed = || bad("a header has a malformed number");
    if let [first @ 0x80..=0xff, rest @ ..] = field {
        let negative = first & 0x40 != 0;
        let start = u64::from(first & 0x3f);
        let shifted = |n: u64, &byte: &u8| n.checked_mul(256).map(|n| n | u64::from(byte));
        return rest.iter().try_fold(start, shifted).filter(|_| !negative).ok_or_else(malformed);
    }
    let text = std::str::from_utf8(until_nul(field)).map_err(|_| malformed())?.trim();
    if text.is_empty() {
        return Ok(0);
    }
    u64::from_str_radix(text, 8).ok().filter(|_| !text.starts_with('+')).ok_or_else(malformed)
}

fn ustar_name(header: &[u8; BLOCK as usize]) -> Vec<u8> {
    let name = until_nul(&header[..100]);
    // GNU keeps times where ustar keeps the prefix.
    let prefix = if &header[257..263] == b"ustar\0" { until_nul(&header[345..500]) } else { &[] };
    if prefix.is_empty() { name.to_vec() } else { [prefix, name].join(&b'/') }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The normal form of `name` below `base`; `None` for one that leaves the archive, is absolute or is no UTF-8.
pub(super) fn normal(name: &[u8], base: &str) -> Option<String> {
    let name = std::str::from_utf8(name).ok().filter(|name| !name.starts_with('/') && !name.contains('\0'))?;
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if base.is_empty() => return None,
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The normal name of what a symbolic link at `name` points to.
fn linked(name: &[u8], target: &[u8]) -> Option<String> {
    let name = normal(name, "")?;
    normal(target, name.rsplit_once('/').map_or("", |(directory, _)| directory))
}

fn bad(reason: impl ToString) -> SourceError {
    SourceError::malformed("the archive", reason)
}

fn cut(error: io::Error) -> SourceError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if error.get_ref().is_none() => bad("it is cut off"),
        _ => SourceError::io("the archive", error),
    }
}
