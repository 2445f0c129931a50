//! SHA-256 (FIPS 180-4) of two streams at a time: on processors with SHA instructions the second costs next to nothing.
//!
//! One stream cannot keep such a processor busy, since every round waits for the one before it; two streams fill each
//! other's waits. Where a stream is alone, `sha2` compresses its blocks.

use sha2::block_api::compress256;

#[cfg(target_arch = "x86_64")]
mod x86;

const BLOCK: usize = 64;

/// FIPS 180-4, §5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The digest of a stream that comes in pieces.
#[derive(Clone)]
pub struct Sha256 {
    state: [u32; 8],
    /// Holds the bytes after the last whole block; the first `used` of it, always fewer than a block.
    partial: [u8; BLOCK],
    used: usize,
    length: u64,
}

impl Sha256 {
    /// The digest of nothing yet.
    pub fn new() -> Self {
        Self { state: INITIAL, partial: [0; BLOCK], used: 0, length: 0 }
    }

    /// Goes on with `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        let blocks = self.take(bytes);
        compress256(&mut self.state, blocks);
    }

    /// The digest of all bytes so far.
    pub fn finish(mut self) -> [u8; 32] {
        // FIPS 180-4, §5.1.1: a one bit, zeros, and the length in bits at the very end of a block.
        let mut padding = [0; 2 * BLOCK];
        padding[0] = 0x80;
        let length_at = if self.used < BLOCK - 8 { BLOCK - 8 } else { 2 * BLOCK - 8 } - self.used;
        padding[length_at..length_at + 8].copy_from_slice(&self.length.wrapping_mul(8).to_be_bytes());
        self.update(&padding[..length_at + 8]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// Takes in everything but the whole blocks that it gives back: those are to be compressed next.
    fn take<'b>(&mut self, mut bytes: &'b [u8]) -> &'b [[u8; BLOCK]] {
        self.length += bytes.len() as u64;
        if self.used > 0 {
            let (start, rest) = bytes.split_at(bytes.len().min(BLOCK - self.used));
            self.partial[self.used..self.used + start.len()].copy_from_slice(start);
            self.used += start.len();
            if self.used < BLOCK {
                return &[];
            }
            compress256(&mut self.state, &[self.partial]);
            bytes = rest;
        }
        let (blocks, rest) = bytes.as_chunks();
        self.partial[..rest.len()].copy_from_slice(rest);
        self.used = rest.len();
        blocks
    }
}

/// Goes on with both streams: the same as an `update` of each, in less time.
pub fn update_both(one: &mut Sha256, one_bytes: &[u8], other: &mut Sha256, other_bytes: &[u8]) {
    let (one_blocks, other_blocks) = (one.take(one_bytes), other.take(other_bytes));
    let done = compress_both(&mut one.state, one_blocks, &mut other.state, other_blocks);
    compress256(&mut one.state, &one_blocks[done..]);
    compress256(&mut other.state, &other_blocks[done..]);
}

/// Compresses as many blocks of each stream as both have and says how many; none where the processor gains nothing by it.
fn compress_both(
    one: &mut [u32; 8],
    one_blocks: &[[u8; BLOCK]],
    other: &mut [u32; 8],
    other_blocks: &[[u8; BLOCK]],
) -> usize {
    #[cfg(target_arch = "x86_64")]
    let done = x86::compress_both(one, one_blocks, other, other_blocks);
    #[cfg(not(target_arch = "x86_64"))]
    let done = {
        let _ = (one, one_blocks, other, other_blocks);
        0
    };
    done
}

#[cfg(test)]
mod tests;
