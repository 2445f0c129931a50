//! Against the vectors of FIPS 180-4's examples, and against `sha2` on any split of any two streams.

use proptest::collection::vec;
use proptest::prelude::*;
use sha2::Digest as _;

use super::{Sha256, update_both};

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reference(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// Pseudo-random bytes; proptest would take long to draw so many.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut x = seed | 1;
    std::iter::repeat_with(|| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x.to_le_bytes()[4]
    })
    .take(length)
    .collect()
}

#[test]
fn published_vectors() {
    let million = vec![b'a'; 1_000_000];
    let vectors: [(&[u8], &str); 5] = [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        ),
        (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ];
    for (one_bytes, one_digest) in vectors {
        let mut alone = Sha256::new();
        alone.update(one_bytes);
        assert_eq!(hex(alone.finish()), one_digest);
        for (other_bytes, other_digest) in vectors {
            let (mut one, mut other) = (Sha256::new(), Sha256::new());
            update_both(&mut one, one_bytes, &mut other, other_bytes);
            assert_eq!((hex(one.finish()).as_str(), hex(other.finish()).as_str()), (one_digest, other_digest));
        }
    }
}

/// Padding has its own boundaries; every length around them, and every one of the other stream's.
#[test]
fn every_short_length() {
    let bytes = noise(7, 200);
    for length in 0..=bytes.len() {
        let (mut one, mut other) = (Sha256::new(), Sha256::new());
        update_both(&mut one, &bytes[..length], &mut other, &bytes[length..]);
        assert_eq!(one.finish(), reference(&bytes[..length]), "{length} bytes");
        assert_eq!(other.finish(), reference(&bytes[length..]), "{length} bytes off");
    }
}

proptest! {
    #[test]
    fn any_pieces_of_any_two_streams(
        seed in any::<u64>(),
        pieces in vec((0_usize..700, 0_usize..700, 0..3), 0..24),
    ) {
        let one_bytes = noise(seed, pieces.iter().map(|piece| piece.0).sum());
        let other_bytes = noise(!seed, pieces.iter().map(|piece| piece.1).sum());
        let (mut one, mut other) = (Sha256::new(), Sha256::new());
        let (mut one_rest, mut other_rest) = (&one_bytes[..], &other_bytes[..]);
        for (one_length, other_length, way) in pieces {
            let (one_piece, other_piece);
            (one_piece, one_rest) = one_rest.split_at(one_length);
            (other_piece, other_rest) = other_rest.split_at(other_length);
            match way {
                0 => update_both(&mut one, one_piece, &mut other, other_piece),
                1 => update_both(&mut other, other_piece, &mut one, one_piece),
                _ => {
                    one.update(one_piece);
                    other.update(other_piece);
                }
            }
        }
        prop_assert_eq!(one.finish(), reference(&one_bytes));
        prop_assert_eq!(other.finish(), reference(&other_bytes));
    }
}
