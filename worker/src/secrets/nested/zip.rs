//! A zip inside a file, read as its bytes come, by the local headers: the directory at its end comes too late.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::File;

const HEADER: usize = 30;
const SIGNATURE: [u8; 4] = [b'P', b'K', 3, 4];
const DESCRIPTOR: [u8; 4] = [b'P', b'K', 7, 8];
const OUTPUT: usize = 32 << 10;

/// How far the archive has been read.
#[derive(Default)]
pub(super) struct Reader {
    state: State,
    /// A header, with its name, as far as it has come.
    block: Vec<u8>,
    /// What is inflated at one time.
    output: Vec<u8>,
}

#[derive(Default)]
enum State {
    #[default]
    Header,
    /// So many bytes of a file that is not compressed, or of one that is not opened.
    Stored(u64, Option<Box<File>>),
    Deflated(Box<Decompress>, Box<File>, bool),
    /// What follows a file whose sizes its header did not have.
    Descriptor,
    /// The directory at the end.
    Over,
}

impl Reader {
    pub(super) fn feed(&mut self, archive: &File, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Over => return Ok(()),
                State::Header => self.header(archive, bytes)?,
                State::Descriptor => self.descriptor(bytes),
                State::Stored(left, file) => {
                    let (now, later) = bytes.split_at(usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len()));
                    *left -= now.len() as u64;
                    let is_over = *left == 0;
                    if let Some(file) = file {
                        file.take(now)?;
                    }
                    if is_over {
                        self.end(false);
                    }
                    later
                }
                State::Deflated(inflate, file, described) => {
                    let described = *described;
                    self.output.resize(OUTPUT, 0);
                    let (used, ended) = inflated(inflate, file, bytes, &mut self.output)?;
                    if ended {
                        self.end(described);
                    }
                    bytes.get(used..).unwrap_or_default()
                }
            };
        }
        Ok(())
    }

    fn end(&mut self, described: bool) {
        let next = if described { State::Descriptor } else { State::Header };
        match std::mem::replace(&mut self.state, next) {
            State::Stored(_, Some(file)) | State::Deflated(_, file, _) => file.close(),
            _ => {}
        }
        self.block.clear();
    }

    fn header<'b>(&mut self, archive: &File, bytes: &'b [u8]) -> io::Result<&'b [u8]> {
        let number = |block: &[u8], at: usize| u16::from_le_bytes([byte(block, at), byte(block, at + 1)]);
        let wanted = match self.block.len() {
            0..HEADER => HEADER,
            _ => HEADER + usize::from(number(&self.block, 26)) + usize::from(number(&self.block, 28)),
        };
        let (now, later) = bytes.split_at(bytes.len().min(wanted - self.block.len()));
        self.block.extend_from_slice(now);
        if self.block.len() >= 4 && !self.block.starts_with(&SIGNATURE) {
            self.state = State::Over;
            return Ok(later);
        }
        let names = usize::from(number(&self.block, 26)) + usize::from(number(&self.block, 28));
        if self.block.len() < HEADER || self.block.len() < HEADER + names {
            return Ok(later);
        }
        let block = &self.block;
        let size = |at: usize| u64::from(number(block, at)) | u64::from(number(block, at + 2)) << 16;
        let (flags, method, packed) = (number(block, 6), number(block, 8), size(18));
        let described = flags & 8 != 0;
        let name = block.get(HEADER..HEADER + usize::from(number(block, 26))).unwrap_or_default().to_vec();
        let is_encrypted = flags & 1 != 0;
        self.state = match method {
            8 if !is_encrypted => {
                let size = if described { u64::MAX } else { size(22) };
                State::Deflated(Box::new(Decompress::new(false)), Box::new(archive.child(&name, size)), described)
            }
            _ if described || packed == 0xffff_ffff => return Err(io::ErrorKind::Unsupported.into()),
            0 if !is_encrypted => State::Stored(packed, Some(Box::new(archive.child(&name, packed)))),
            _ => State::Stored(packed, None),
        };
        self.block.clear();
        if let State::Stored(0, _) = self.state {
            self.end(false);
        }
        Ok(later)
    }

    /// Twelve bytes, or twenty of a large file, behind a signature that may be missing.
    fn descriptor<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        const LONGEST: usize = 24;
        let (now, later) = bytes.split_at(bytes.len().min(LONGEST + 4 - self.block.len()));
        self.block.extend_from_slice(now);
        let start = if self.block.starts_with(&DESCRIPTOR) { 4 } else { 0 };
        let next = [12, 20]
            .into_iter()
            .map(|size| start + size)
            .find(|&at| matches!(self.block.get(at..at + 4), Some([b'P', b'K', 1 | 3 | 5 | 6, _])));
        match next {
            Some(at) => {
                // What came of the next header, some of it maybe with the bytes before these, stays.
                self.block.drain(..at);
                self.state = State::Header;
                later
            }
            None if self.block.len() == LONGEST + 4 => {
                self.state = State::Over;
                later
            }
            None => later,
        }
    }

    pub(super) fn close(self) {
        match self.state {
            State::Stored(_, Some(file)) | State::Deflated(_, file, _) => file.close(),
            _ => {}
        }
    }
}

fn byte(block: &[u8], at: usize) -> u8 {
    block.get(at).copied().unwrap_or_default()
}

/// Inflates what has come into `file`: how many bytes that took, and whether it was the end.
fn inflated(inflate: &mut Decompress, file: &mut File, bytes: &[u8], output: &mut [u8]) -> io::Result<(usize, bool)> {
    let begun = inflate.total_in();
    loop {
        let used = usize::try_from(inflate.total_in() - begun).unwrap_or(usize::MAX);
        let before = inflate.total_out();
        let rest = bytes.get(used..).unwrap_or_default();
        let status = inflate.decompress(rest, output, FlushDecompress::None).map_err(io::Error::other)?;
        let made = usize::try_from(inflate.total_out() - before).unwrap_or(0);
        file.take(output.get(..made).unwrap_or_default())?;
        let now = usize::try_from(inflate.total_in() - begun).unwrap_or(usize::MAX);
        if status == Status::StreamEnd {
            return Ok((now, true));
        }
        if now == used && made == 0 {
            return Ok((bytes.len(), false));
        }
    }
}
