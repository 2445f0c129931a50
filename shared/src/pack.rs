//! Compression of small things, many of them: the tables of a zstd context are a megabyte, which costs more to make than a
//! record costs to compress. Each thread keeps its own.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

const LEVEL: i32 = 1;

thread_local! {
    static PACKING: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKING: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// `bytes` as a zstd frame that says how long they are.
///
/// # Errors
/// There is no memory for it.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    PACKING.with_borrow_mut(|kept| {
        let packing = match kept {
            Some(packing) => packing,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        packing.compress(bytes)
    })
}

/// What was packed, if that is no more than `limit` bytes.
///
/// # Errors
/// It is no zstd frame, a damaged one, or there is more in it.
pub fn unpack(packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    // No more than the frame itself claims is allocated; one that claims nothing is none of ours.
    let claimed = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten();
    let claimed = claimed.and_then(|claimed| usize::try_from(claimed).ok()).filter(|claimed| *claimed <= limit);
    let claimed = claimed.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not packed, or too long"))?;
    UNPACKING.with_borrow_mut(|kept| {
        let unpacking = match kept {
            Some(unpacking) => unpacking,
            None => kept.insert(Decompressor::new()?),
        };
        unpacking.decompress(packed, claimed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_what_is_not_is_refused() {
        let long = b"lazaret ".repeat(10_000);
        for bytes in [&b""[..], b"short", &long] {
            let packed = pack(bytes).unwrap();
            assert_eq!(unpack(&packed, bytes.len()).unwrap(), bytes);
            if !bytes.is_empty() {
                assert!(unpack(&packed, bytes.len() - 1).is_err(), "over the limit");
                assert!(unpack(&packed[..packed.len() - 1], bytes.len()).is_err(), "cut short");
            }
        }
        assert!(unpack(b"not a frame", 100).is_err());
        assert_eq!(unpack(&pack(&long).unwrap(), long.len()).unwrap(), long, "an error spoils nothing");
    }
}
