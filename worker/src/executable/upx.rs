//! Programs that UPX has packed: their bytes as they were before, but for code.

use super::header::{Header, Segment};

mod lzma;
mod nrv;

/// The largest packed file that is taken into memory.
pub(super) const MAX_FILE: usize = 32 << 20;

/// The largest block that is unpacked, which has to be in memory too: UPX makes one of each segment.
const MAX_BLOCK: usize = 64 << 20;

/// The largest program that is unpacked.
const MAX_PROGRAM: u64 = 512 << 20;

/// Blocks of one program: three or four segments and what lies between them, in blocks of 512 KiB with an old UPX.
const MAX_BLOCKS: usize = 2048;

/// What a block costs at least, in bytes that are unpacked: the tables of the decoder.
const BLOCK_COST: u64 = 64 << 10;

/// Blocks and what they belong to start with so many bytes.
const INFO_BYTES: usize = 12;

const MAGIC: &[u8] = b"UPX!";

/// Why a program could not be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UpxError {
    /// Its headers or its data contradict themselves.
    #[error("damaged")]
    Damaged,
    /// A way of packing that is not known here.
    #[error("in a way that is not known")]
    Method,
    /// More than it may cost.
    #[error("larger than is unpacked")]
    TooLarge,
}

/// Where the description of the packed program starts: behind the program headers of the stub.
fn description(header: &Header, head: &[u8]) -> Option<usize> {
    let at = usize::try_from(header.segments_end()).ok()?;
    head.get(at.checked_add(4)?..)?.starts_with(MAGIC).then_some(at)
}

/// Whether a program that starts so was packed.
pub(super) fn is_packed(header: &Header, head: &[u8]) -> bool {
    description(header, head).is_some()
}

/// Hands the bytes of the program that `file` holds to `sink`, from the first to the last, zeros in the place of code
/// and of what UPX left away. What it unpacks is taken from `budget`.
///
/// Behind the stub's program headers stand `l_info` (checksum, magic, sizes) and `p_info` (program, size of the file, size
/// of a block), 12 bytes each. Then come blocks, each behind a `b_info` of 12 bytes: size before, size now, method,
/// filter. The first holds the file and program headers, the others the loaded segments one after the other; behind the
/// loader, that is where the stub's segments end, those of what lies behind each loaded segment and belongs to none. A
/// block that would not shrink is stored. Filters change the targets of jumps in code alone, so they are not undone.
/// Source: the structures in UPX's `p_unix.h` and what its versions 3.96 and 4.2 write.
pub(super) fn unpack(file: &[u8], budget: &mut u64, mut sink: impl FnMut(&[u8])) -> Result<(), UpxError> {
    let stub = Header::parse(file).ok_or(UpxError::Damaged)?;
    let at = description(&stub, file).ok_or(UpxError::Damaged)?;
    let program_bytes = u64::from(stub.u32(file, at + 16).ok_or(UpxError::Damaged)?);
    let reader = Reader { file, stub: &stub };
    let first = reader.block(at + 2 * INFO_BYTES, 0)?;
    let mut head = first.unpacked(file, budget)?;
    let header = Header::parse(&head).ok_or(UpxError::Damaged)?;
    let segments: Vec<Segment> = header.segments(&head).filter(|segment| segment.loaded).collect();
    let size = segments.iter().map(|segment| segment.end).fold(program_bytes, u64::max);
    if size > MAX_PROGRAM {
        return Err(UpxError::TooLarge);
    }
    // Zeros cost something too.
    *budget = budget.checked_sub(size).ok_or(UpxError::TooLarge)?;
    let mut blocks = Vec::new();
    reader.segments(first.next, &segments, head.len() as u64, &mut blocks)?;
    reader.gaps(&segments, program_bytes, &mut blocks);

    let separate = segments.iter().any(|segment| !segment.writable && !segment.executable);
    let is_code = |at: u64| {
        let of = segments.iter().find(|segment| (segment.start..segment.end).contains(&at));
        separate && of.is_some_and(|segment| segment.executable && !segment.writable)
    };
    if is_code(header.sections_at) {
        // Go's linker puts them there. Nothing of a Go program is found by them that is not found without.
        header.forget_sections(&mut head);
    }
    sink(&head);
    let mut position = head.len() as u64;
    blocks.sort_by_key(|block| block.start);
    for block in blocks {
        let gap = block.start.checked_sub(position).ok_or(UpxError::Damaged)?;
        zeros(gap, &mut sink);
        if is_code(block.start) {
            zeros(block.size, &mut sink);
        } else {
            sink(&block.unpacked(file, budget)?);
        }
        position = block.start + block.size;
    }
    Ok(())
}

fn zeros(mut count: u64, sink: &mut impl FnMut(&[u8])) {
    const ZEROS: [u8; 4096] = [0; 4096];
    while count > 0 {
        let part = count.min(ZEROS.len() as u64);
        sink(&ZEROS[..part as usize]);
        count -= part;
    }
}

/// A block, and what it is of the program.
struct Block {
    /// First byte in the program, and how many.
    start: u64,
    size: u64,
    /// First byte in the packed file, and behind the last.
    data: usize,
    next: usize,
    method: u8,
}

impl Block {
    fn unpacked(&self, file: &[u8], budget: &mut u64) -> Result<Vec<u8>, UpxError> {
        let data = file.get(self.data..self.next).ok_or(UpxError::Damaged)?;
        let size = usize::try_from(self.size).ok().filter(|&size| size <= MAX_BLOCK).ok_or(UpxError::TooLarge)?;
        *budget = budget.checked_sub(self.size + BLOCK_COST).ok_or(UpxError::TooLarge)?;
        if data.len() == size {
            return Ok(data.to_vec());
        }
        let unpacked = match self.method {
            2 => nrv::unpacked(nrv::Kind::B, 4, data, size),
            3 => nrv::unpacked(nrv::Kind::B, 1, data, size),
            4 => nrv::unpacked(nrv::Kind::B, 2, data, size),
            5 => nrv::unpacked(nrv::Kind::D, 4, data, size),
            6 => nrv::unpacked(nrv::Kind::D, 1, data, size),
            7 => nrv::unpacked(nrv::Kind::D, 2, data, size),
            8 => nrv::unpacked(nrv::Kind::E, 4, data, size),
            9 => nrv::unpacked(nrv::Kind::E, 1, data, size),
            10 => nrv::unpacked(nrv::Kind::E, 2, data, size),
            14 => lzma::unpacked(data, size),
            _ => return Err(UpxError::Method),
        };
        unpacked.filter(|bytes| bytes.len() == size).ok_or(UpxError::Damaged)
    }
}

struct Reader<'a> {
    file: &'a [u8],
    stub: &'a Header,
}

impl Reader<'_> {
    /// The block whose `b_info` is at `at`.
    fn block(&self, at: usize, start: u64) -> Result<Block, UpxError> {
        let number = |at: usize| self.stub.u32(self.file, at).ok_or(UpxError::Damaged);
        let (size, packed) = (u64::from(number(at)?), u64::from(number(at + 4)?));
        let method = *self.file.get(at + 8).ok_or(UpxError::Damaged)?;
        let data = at + INFO_BYTES;
        let next = usize::try_from(packed).ok().and_then(|packed| data.checked_add(packed)).ok_or(UpxError::Damaged)?;
        if size == 0 || packed == 0 || packed > size || next > self.file.len() {
            return Err(UpxError::Damaged);
        }
        Ok(Block { start, size, data, next, method })
    }

    /// The blocks of all segments, the first from the end of the headers on.
    fn segments(
        &self,
        mut at: usize,
        segments: &[Segment],
        headers: u64,
        blocks: &mut Vec<Block>,
    ) -> Result<(), UpxError> {
        for segment in segments {
            let start = if segment.start == 0 { headers } else { segment.start };
            at = self.range(at, start..segment.end, blocks)?;
        }
        Ok(())
    }

    /// The blocks of what lies between and behind the segments. Where there are none UPX left it away.
    fn gaps(&self, segments: &[Segment], program_bytes: u64, blocks: &mut Vec<Block>) {
        let stub_end = self.stub.segments(self.file).filter(|segment| segment.loaded).map(|segment| segment.end).max();
        let Some(mut at) = stub_end.and_then(|end| usize::try_from(end.checked_next_multiple_of(4)?).ok()) else {
            return;
        };
        for segment in segments {
            let following = segments.iter().map(|other| other.start).filter(|&start| start >= segment.end).min();
            let known = blocks.len();
            match self.range(at, segment.end..following.unwrap_or(program_bytes), blocks) {
                Ok(next) => at = next,
                Err(_) => {
                    blocks.truncate(known);
                    return;
                }
            }
        }
    }

    /// The blocks of one range of the program, and where in the packed file they end.
    fn range(&self, mut at: usize, range: std::ops::Range<u64>, blocks: &mut Vec<Block>) -> Result<usize, UpxError> {
        let mut start = range.start;
        while start < range.end {
            let block = self.block(at, start)?;
            if block.size > range.end - start {
                return Err(UpxError::Damaged);
            }
            if blocks.len() == MAX_BLOCKS {
                return Err(UpxError::TooLarge);
            }
            (at, start) = (block.next, start + block.size);
            blocks.push(block);
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests;
