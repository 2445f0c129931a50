//! rpm's own database format, `Packages.db` on SUSE: a table of slots, and a blob for each package.
//!
//! Format: rpm's `lib/backend/ndb/rpmpkg.c`. Slots fill whole pages of 4,096 bytes, the first two slots of the first
//! page are the file header; blobs take blocks of 16 bytes. All numbers are little-endian.

use super::flaw::Flaw;
use super::pieces::Pieces;

const HEADER_MAGIC: &[u8; 4] = b"RpmP";
const SLOT_MAGIC: &[u8; 4] = b"Slot";
const BLOB_MAGIC: &[u8; 4] = b"BlbS";
const TAIL_MAGIC: &[u8; 4] = b"BlbE";
const SLOT: usize = 16;
const BLOCK: usize = 16;
const PAGE: usize = 4096;
/// Magic, package number, generation, length.
const BLOB_HEADER: usize = 16;
/// Checksum, length, magic.
const BLOB_TAIL: usize = 12;

/// Hands `each` the header of every package, and every flaw.
pub(super) fn read<'a>(file: &'a [u8], each: &mut dyn FnMut(Result<Pieces<'a>, Flaw>)) {
    if file.is_empty() {
        return each(Err(Flaw::Empty));
    }
    if file.len() < 2 * SLOT || !file.starts_with(HEADER_MAGIC) {
        return each(Err(Flaw::Magic("ndb")));
    }
    let version = number(file, 4);
    if version != 0 {
        return each(Err(Flaw::Version { format: "ndb", version }));
    }
    let slot_bytes = number(file, 12) as usize * PAGE;
    if slot_bytes > file.len() {
        each(Err(Flaw::CutShort { has: file.len() as u64, wants: slot_bytes as u64 }));
    }
    let slots = file[..slot_bytes.min(file.len())].chunks_exact(SLOT).enumerate().skip(2);
    let mut blob_bytes = 0_usize;
    for (index, slot) in slots {
        let (package, first_block, blocks) = (number(slot, 4), number(slot, 8), number(slot, 12));
        if !slot.starts_with(SLOT_MAGIC) {
            each(Err(Flaw::Slot(index as u64)));
            continue;
        }
        if first_block == 0 {
            continue;
        }
        let start = first_block as usize * BLOCK;
        let Some(blob) = file.get(start..start + blocks as usize * BLOCK) else {
            each(Err(Flaw::Blob(package)));
            continue;
        };
        // No two packages share blocks; without this, few slots could make us sum one large blob again and again.
        blob_bytes += blob.len();
        if blob_bytes > file.len() {
            return each(Err(Flaw::Overlap));
        }
        match header(blob, package) {
            Ok((header, intact)) => {
                if !intact {
                    each(Err(Flaw::Checksum(package)));
                }
                each(Ok(header));
            }
            Err(flaw) => each(Err(flaw)),
        }
    }
}

/// The rpm header in a blob, and whether its checksum is right. Where it is not, most often a byte of some list of
/// files has changed: what the header says is worth telling along with the gap, although rpm itself refuses it.
fn header(blob: &[u8], package: u32) -> Result<(Pieces<'_>, bool), Flaw> {
    let malformed = || Flaw::Blob(package);
    let tail_at = blob.len().checked_sub(BLOB_TAIL).filter(|&at| at >= BLOB_HEADER).ok_or_else(malformed)?;
    let (summed, tail) = blob.split_at(tail_at);
    let len = number(summed, 12);
    let needed = (BLOB_HEADER + BLOB_TAIL + len as usize).next_multiple_of(BLOCK);
    let well_formed = summed.starts_with(BLOB_MAGIC)
        && number(summed, 4) == package
        && needed == blob.len()
        && number(tail, 4) == len
        && tail.ends_with(TAIL_MAGIC);
    if !well_formed {
        return Err(malformed());
    }
    let header = summed.get(BLOB_HEADER..BLOB_HEADER + len as usize).ok_or_else(malformed)?;
    Ok((Pieces::from(header), adler32(summed) == number(tail, 0)))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_le_bytes)
}

/// Adler-32 (RFC 1950, section 8.2), in runs that a processor sums side by side.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    const RUN: usize = 32;
    /// So many runs overflow no sum of 32 bits.
    const RUNS: usize = 5536 / RUN;
    let (mut a, mut b) = (1_u32, 0_u32);
    for block in bytes.chunks(RUN * RUNS) {
        let (runs, rest) = block.as_chunks::<RUN>();
        for run in runs {
            let (mut sum, mut weighted) = (0_u32, 0_u32);
            for (&byte, weight) in run.iter().zip((1..=RUN as u32).rev()) {
                sum += u32::from(byte);
                weighted += u32::from(byte) * weight;
            }
            b += a * RUN as u32 + weighted;
            a += sum;
        }
        for &byte in rest {
            a += u32::from(byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adler() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        // As RFC 1950 writes it.
        let plain = |bytes: &[u8]| {
            let (a, b) = bytes.iter().fold((1, 0), |(a, b), &byte| {
                let a = (a + u32::from(byte)) % 65_521;
                (a, (b + a) % 65_521)
            });
            b << 16 | a
        };
        for len in [31, 32, 33, 5535, 5536, 5537, 100_000] {
            let worst = vec![0xff; len];
            assert_eq!(adler32(&worst), plain(&worst), "{len}");
        }
    }
}
