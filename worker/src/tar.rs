//! A strict reader of tar streams, for hostile layers: bounded headers, no guess where readers differ.
//!
//! Formats: POSIX.1-2017 ustar and pax, GNU long names, GNU and pax sparse files, base-256 numbers, the pre-POSIX form.
//! Anything malformed is an error and never skipped: a reader that skips sees other files than one that stops, and hiding
//! a file from a scanner is just that.

use std::io::{self, BufRead};

mod header;
mod pax;
mod sparse;

use header::{BLOCK, Header};
use pax::Overrides;
pub use sparse::SparseMap;

/// The largest extended header or long name; the same bound as Go's `archive/tar`.
const MAX_SPECIAL: u64 = 1 << 20;

/// Why a stream is no tar archive that could be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A header's checksum is wrong: not tar, or cut out of step.
    #[error("not a tar header (wrong checksum)")]
    Checksum,
    /// The stream ends inside an entry.
    #[error("the archive is cut short")]
    Truncated,
    /// A numeric field is no number.
    #[error("malformed number in a tar header")]
    Number,
    /// An extended header that breaks its own syntax.
    #[error("malformed pax header")]
    Pax,
    /// A sparse map that contradicts itself.
    #[error("malformed sparse file")]
    Sparse,
    /// An extended header or long name past 1 MiB.
    #[error("extended tar header larger than 1 MiB")]
    Oversized,
}

/// What kind of file an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; the target is in [`Entry::link`].
    Symlink,
    /// A hard link; the target is in [`Entry::link`].
    HardLink,
    /// A device or FIFO.
    Special,
    /// A type that no runtime gives a meaning.
    Unknown,
}

/// One entry. The buffers are reused from entry to entry.
#[derive(Debug, Default)]
pub struct Entry {
    /// The name as written.
    pub name: Vec<u8>,
    /// The target of a link as written.
    pub link: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Bytes of the file, zeros of sparse files included.
    pub size: u64,
    /// Its extended attributes, a line `NAME=VALUE` for each.
    pub attributes: Vec<u8>,
    kind: Option<EntryKind>,
    sparse: Option<SparseMap>,
}

impl Entry {
    /// What kind of file it makes.
    pub fn kind(&self) -> EntryKind {
        self.kind.unwrap_or(EntryKind::Unknown)
    }
}

/// A piece of an entry's data.
pub enum Chunk<'a> {
    /// Bytes; [`Entries::consume`] says how many were used.
    Data(&'a [u8]),
    /// A hole of so many zeros, used up at once.
    Zeros(u64),
}

/// The entries of a tar stream, one at a time.
pub struct Entries<R: BufRead> {
    input: R,
    /// Bytes of the current entry's data that are still in the stream.
    data: u64,
    /// Padding after them.
    padding: u64,
    piece: usize,
    /// Bytes until the current piece of a sparse file ends.
    piece_left: u64,
    ended: bool,
    global: bool,
}

impl<R: BufRead> Entries<R> {
    /// The entries of `input`.
    pub fn new(input: R) -> Self {
        Self { input, data: 0, padding: 0, piece: 0, piece_left: 0, ended: false, global: false }
    }

    /// Whether a pax global header set a name or size: readers differ on whether that holds for later entries.
    pub fn has_global_overrides(&self) -> bool {
        self.global
    }

    /// The stream behind the archive, after whatever was read of it.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Goes to the next entry, past what is left of this one; false at the end of the archive.
    ///
    /// # Errors
    /// The stream fails, or is no strict tar.
    pub fn next(&mut self, entry: &mut Entry) -> Result<bool, TarError> {
        let mut overrides = Overrides::default();
        let mut long_name: Option<Vec<u8>> = None;
        let mut long_link: Option<Vec<u8>> = None;
        let mut block = [0; BLOCK];
        loop {
            self.skip_entry()?;
            if self.ended || !self.read_header(&mut block)? {
                self.ended = true;
                return if long_name.is_none() && long_link.is_none() && overrides.is_empty() {
                    Ok(false)
                } else {
                    Err(TarError::Truncated)
                };
            }
            let header = Header::new(&block)?;
            self.data = header.size()?;
            self.padding = self.data.wrapping_neg() % BLOCK as u64;
            match header.kind() {
                b'x' => overrides = Overrides::read(&self.read_special()?)?,
                b'g' => self.global |= !Overrides::read(&self.read_special()?)?.is_empty(),
                b'L' => long_name = Some(cut_at_nul(self.read_special()?)),
                b'K' => long_link = Some(cut_at_nul(self.read_special()?)),
                _ => {
                    header.name(&mut entry.name);
                    entry.link.clear();
                    entry.link.extend_from_slice(header.link_name());
                    entry.mode = header.mode()?;
                    entry.attributes = std::mem::take(&mut overrides.attributes);
                    if let Some(name) = overrides.path.take().or(long_name) {
                        entry.name = name;
                    }
                    if let Some(link) = overrides.link_path.take().or(long_link) {
                        entry.link = link;
                    }
                    self.begin(&header, overrides, entry)?;
                    return Ok(true);
                }
            }
        }
    }

    fn begin(&mut self, header: &Header<'_>, overrides: Overrides, entry: &mut Entry) -> Result<(), TarError> {
        let kind = match header.kind() {
            // The old format has no directories of its own: a trailing slash makes one.
            b'0' | 0 | b'7' if header.kind() != b'7' && entry.name.ends_with(b"/") => EntryKind::Directory,
            b'0' | 0 | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'3' | b'4' | b'6' => EntryKind::Special,
            b'5' => EntryKind::Directory,
            _ => EntryKind::Unknown,
        };
        entry.kind = Some(kind);
        entry.sparse = None;
        if !matches!(kind, EntryKind::File | EntryKind::Unknown) {
            // Go's reader: such an entry has no data, whatever its size field says.
            (self.data, self.padding, entry.size) = (0, 0, 0);
            return Ok(());
        }
        if let Some(size) = overrides.size {
            self.data = size;
            self.padding = size.wrapping_neg() % BLOCK as u64;
        }
        if i64::try_from(self.data).is_err() {
            return Err(TarError::Number);
        }
        if header.kind() == b'S' {
            entry.sparse = Some(self.read_gnu_sparse(header)?);
        } else if overrides.sparse.is_present() && kind == EntryKind::File {
            if let Some(name) = overrides.sparse.name {
                entry.name = name;
            }
            let real = overrides.sparse.real_size.ok_or(TarError::Sparse)?;
            entry.sparse = Some(if overrides.sparse.major == Some(1) {
                self.read_sparse_1_0(real)?
            } else {
                SparseMap::from_numbers(&overrides.sparse.map, real, self.data)?
            });
        }
        entry.size = entry.sparse.as_ref().map_or(self.data, SparseMap::real_size);
        (self.piece, self.piece_left) = (0, 0);
        Ok(())
    }

    /// The next piece of the entry's data; `None` at its end. Use up data with [`Self::consume`].
    ///
    /// # Errors
    /// The stream fails or ends.
    pub fn chunk(&mut self, entry: &Entry) -> Result<Option<Chunk<'_>>, TarError> {
        let mut available = self.data;
        if let Some(map) = &entry.sparse {
            while self.piece_left == 0 {
                let Some((zeros, length)) = map.step(self.piece) else { return Ok(None) };
                self.piece += 1;
                self.piece_left = length;
                if zeros > 0 {
                    return Ok(Some(Chunk::Zeros(zeros)));
                }
            }
            available = self.piece_left.min(available);
        }
        if available == 0 {
            return Ok(None);
        }
        let buffer = self.input.fill_buf()?;
        if buffer.is_empty() {
            return Err(TarError::Truncated);
        }
        let length = usize::try_from(available).unwrap_or(usize::MAX).min(buffer.len());
        Ok(Some(Chunk::Data(&buffer[..length])))
    }

    /// Uses up `amount` bytes of the data that [`Self::chunk`] showed.
    pub fn consume(&mut self, amount: usize) {
        self.input.consume(amount);
        self.data = self.data.saturating_sub(amount as u64);
        self.piece_left = self.piece_left.saturating_sub(amount as u64);
    }

    fn skip_entry(&mut self) -> Result<(), TarError> {
        let mut left = self.data.checked_add(self.padding).ok_or(TarError::Number)?;
        (self.data, self.padding) = (0, 0);
        while left > 0 {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(TarError::Truncated);
            }
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            self.input.consume(n);
            left -= n as u64;
        }
        Ok(())
    }

    /// Reads a header block; false where the archive ends: at two blocks of zeros, or where the stream does.
    fn read_header(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, TarError> {
        if !self.read_block(block)? {
            return Ok(false);
        }
        if block.iter().any(|&b| b != 0) {
            return Ok(true);
        }
        // One block of zeros at the very end is forgiven by every reader; one that is followed by a header by none.
        if !self.read_block(block)? || block.iter().all(|&b| b == 0) {
            return Ok(false);
        }
        Err(TarError::Checksum)
    }

    /// Reads a whole block; false at the end of the stream.
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, TarError> {
        let mut filled = 0;
        while filled < BLOCK {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return if filled == 0 { Ok(false) } else { Err(TarError::Truncated) };
            }
            let n = buffer.len().min(BLOCK - filled);
            block[filled..filled + n].copy_from_slice(&buffer[..n]);
            self.input.consume(n);
            filled += n;
        }
        Ok(true)
    }

    /// The data of an extended header or long name, whole.
    fn read_special(&mut self) -> Result<Vec<u8>, TarError> {
        if self.data > MAX_SPECIAL {
            return Err(TarError::Oversized);
        }
        let mut content = Vec::with_capacity(self.data as usize);
        while self.data > 0 {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(TarError::Truncated);
            }
            let n = buffer.len().min(self.data as usize);
            content.extend_from_slice(&buffer[..n]);
            self.input.consume(n);
            self.data -= n as u64;
        }
        Ok(content)
    }

    fn read_gnu_sparse(&mut self, header: &Header<'_>) -> Result<SparseMap, TarError> {
        let (first, mut more, real_size) = header.gnu_sparse()?;
        let mut pieces = Vec::new();
        SparseMap::read_gnu(first, &mut pieces)?;
        let mut block = [0; BLOCK];
        while more {
            if !self.read_block(&mut block)? {
                return Err(TarError::Truncated);
            }
            SparseMap::read_gnu(&block[..504], &mut pieces)?;
            more = block[504] != 0;
        }
        SparseMap::new(pieces, real_size, self.data)
    }

    /// Format 1.0: the map precedes the data, decimal numbers one to a line, padded to whole blocks.
    fn read_sparse_1_0(&mut self, real_size: u64) -> Result<SparseMap, TarError> {
        let mut text = Vec::new();
        let mut block = [0; BLOCK];
        let mut numbers: Vec<u64> = Vec::new();
        let mut start = 0;
        loop {
            while let Some(end) = memchr::memchr(b'\n', &text[start..]) {
                numbers.push(pax::decimal(&text[start..start + end]).ok_or(TarError::Sparse)?);
                start += end + 1;
                let wanted = numbers[0].checked_mul(2).and_then(|n| n.checked_add(1)).ok_or(TarError::Sparse)?;
                if numbers.len() as u64 == wanted {
                    return SparseMap::from_numbers(&numbers[1..], real_size, self.data);
                }
            }
            if self.data < BLOCK as u64 || text.len() as u64 > 32 * MAX_SPECIAL {
                return Err(TarError::Sparse);
            }
            if !self.read_block(&mut block)? {
                return Err(TarError::Truncated);
            }
            self.data -= BLOCK as u64;
            text.extend_from_slice(&block);
        }
    }
}

fn cut_at_nul(mut name: Vec<u8>) -> Vec<u8> {
    let end = memchr::memchr(0, &name).unwrap_or(name.len());
    name.truncate(end);
    name
}
