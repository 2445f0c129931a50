//! A tar inside a file, read as its bytes come. Not the strict reader of layers: this one looks for secrets only, and stops where
//! it does not understand.

use std::io;

use super::File;

const BLOCK: usize = 512;
/// A name that is a file of its own in the archive.
const MAX_NAME: u64 = 64 << 10;

/// How far the archive has been read.
#[derive(Default)]
pub(super) struct Reader {
    block: Vec<u8>,
    body: Body,
    left: u64,
    padding: u64,
    /// The name that the next header's file has instead of its own.
    name: Option<Vec<u8>>,
}

#[derive(Default)]
enum Body {
    /// A header comes.
    #[default]
    None,
    Skipped,
    Name(Vec<u8>),
    Pax(Vec<u8>),
    File(Box<File>),
}

impl Reader {
    pub(super) fn feed(&mut self, archive: &File, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Body::None = self.body {
                let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
                self.block.extend_from_slice(now);
                bytes = later;
                if self.block.len() == BLOCK {
                    self.header(archive)?;
                    self.block.clear();
                }
                continue;
            }
            let (now, later) = bytes.split_at(usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len()));
            match &mut self.body {
                Body::Name(text) | Body::Pax(text) => text.extend_from_slice(now),
                Body::File(file) => file.take(now)?,
                Body::None | Body::Skipped => {}
            }
            self.left -= now.len() as u64;
            bytes = later;
            if self.left == 0 {
                let padding = usize::try_from(self.padding).unwrap_or(0).min(bytes.len());
                bytes = bytes.get(padding..).unwrap_or_default();
                self.padding -= padding as u64;
                if self.padding == 0 {
                    self.end();
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, archive: &File) -> io::Result<()> {
        let header = &self.block;
        if header.iter().all(|&b| b == 0) {
            return Ok(());
        }
        let field = |from: usize, size: usize| {
            let field = header.get(from..from + size).unwrap_or_default();
            field.split(|&b| b == 0).next().unwrap_or_default()
        };
        if header.get(257..262) != Some(b"ustar") {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let size = number(header.get(124..136).unwrap_or_default()).ok_or(io::ErrorKind::InvalidData)?;
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        let is_name = size <= MAX_NAME;
        self.body = match header.get(156) {
            Some(b'0' | 0 | b'7') => {
                let (prefix, name) = (field(345, 155), field(0, 100));
                let own = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
                Body::File(Box::new(archive.child(&self.name.take().unwrap_or(own), size)))
            }
            Some(b'L') if is_name => Body::Name(Vec::new()),
            Some(b'x') if is_name => Body::Pax(Vec::new()),
            _ => Body::Skipped,
        };
        if size == 0 {
            self.end();
        }
        Ok(())
    }

    fn end(&mut self) {
        match std::mem::take(&mut self.body) {
            Body::File(file) => file.close(),
            Body::Name(name) => self.name = Some(name.split(|&b| b == 0).next().unwrap_or_default().to_vec()),
            Body::Pax(records) => self.name = path(&records).or(self.name.take()),
            Body::None | Body::Skipped => {}
        }
    }

    pub(super) fn close(self) {
        if let Body::File(file) = self.body {
            file.close();
        }
    }
}

/// Octal digits, or the base 256 of GNU.
fn number(field: &[u8]) -> Option<u64> {
    const MAX: u64 = 1 << 40;
    if let Some((0x80, rest)) = field.split_first().map(|(first, rest)| (*first, rest)) {
        return rest.iter().try_fold(0, |n: u64, &b| n.checked_mul(256)?.checked_add(b.into())).filter(|&n| n <= MAX);
    }
    let digits = field.iter().skip_while(|&&b| b == b' ').take_while(|b| (b'0'..=b'7').contains(b));
    digits
        .map(|b| u64::from(b - b'0'))
        .try_fold(0, |n: u64, digit| n.checked_mul(8)?.checked_add(digit))
        .filter(|&n| n <= MAX)
}

/// The `path` of pax records, each `LENGTH KEY=VALUE\n`.
fn path(records: &[u8]) -> Option<Vec<u8>> {
    let start = memchr::memmem::find(records, b" path=")? + 6;
    let value = records.get(start..)?;
    Some(value.split(|&b| b == b'\n').next()?.to_vec())
}
