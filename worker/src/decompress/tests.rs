//! Both digests are right however the source hands out its bytes, and after errors and breaches too.

use std::io::{BufReader, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Bytes that compress somewhat, so that input and output go at different paces.
fn content(length: usize) -> Vec<u8> {
    let mut x = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 28) as u8
    })
    .take(length)
    .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn limits() -> Limits {
    Limits::default()
}

/// Every kind of blob, with what it unpacks to.
fn blobs() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    // More than the buffer twice over, and no multiple of a block.
    let tar = content(2 * BUFFER + 1234);
    let members: Vec<u8> = tar.chunks(1000).flat_map(gzip).collect();
    let empty: Vec<u8> = std::iter::repeat_n(gzip(b""), 3000).flatten().chain(gzip(&tar)).collect();
    let frames: Vec<u8> = tar.chunks(70_000).flat_map(|part| zstd::bulk::compress(part, 1).unwrap()).collect();
    vec![
        ("gzip", gzip(&tar), tar.clone()),
        ("many members", members, tar.clone()),
        ("empty members", empty, tar.clone()),
        ("zstd", frames, tar.clone()),
        ("plain", tar.clone(), tar),
        ("short", gzip(b"x"), b"x".to_vec()),
        ("nothing", Vec::new(), Vec::new()),
    ]
}

#[test]
fn digests_do_not_depend_on_the_source() {
    for (name, blob, tar) in blobs() {
        for capacity in [1, 3, 8, 61, 64, 4096, 100_000, 4 << 20] {
            let mut unpacked = Unpacked::new(BufReader::with_capacity(capacity, &blob[..]), limits()).unwrap();
            let mut read = Vec::new();
            unpacked.read_to_end(&mut read).unwrap();
            assert!(read == tar, "{name} by {capacity}");
            let expected = Totals {
                blob: Digest::of(&blob),
                compressed_bytes: blob.len() as u64,
                diff_id: Some(Digest::of(&tar)),
                uncompressed_bytes: tar.len() as u64,
                breach: None,
            };
            assert_eq!(unpacked.finish().unwrap(), expected, "{name} by {capacity}");
        }
    }
}

/// A damaged blob still has a digest, which tells a corrupt copy from a layer that was built broken.
#[test]
fn the_blob_keeps_its_digest_where_inflating_fails() {
    let mut blob = gzip(&content(BUFFER * 3 / 2));
    let middle = blob.len() / 2;
    blob[middle..middle + 64].fill(0xff);
    for capacity in [64, 5000, 4 << 20] {
        let mut unpacked = Unpacked::new(BufReader::with_capacity(capacity, &blob[..]), limits()).unwrap();
        io::copy(&mut unpacked, &mut io::sink()).unwrap_err();
        assert_eq!(unpacked.blob_digest().unwrap(), (Digest::of(&blob), blob.len() as u64));
    }
}

#[test]
fn a_breach_keeps_what_was_read_and_the_blob_its_digest() {
    let blob = gzip(&content(3 * BUFFER));
    let few = Limits { uncompressed_bytes: 1000, ..limits() };
    let totals = Unpacked::new(Cursor::new(&blob), few).unwrap().finish().unwrap();
    assert_eq!((totals.breach, totals.diff_id), (Some(Breach::Uncompressed), None));
    assert_eq!((totals.blob, totals.compressed_bytes), (Digest::of(&blob), blob.len() as u64));
    assert_eq!(totals.uncompressed_bytes, BUFFER as u64);

    let few = Limits { compressed_bytes: 1000, ..limits() };
    let reader = BufReader::with_capacity(512, &blob[..]);
    let totals = Unpacked::new(reader, few).unwrap().finish().unwrap();
    assert_eq!((totals.breach, totals.diff_id), (Some(Breach::Compressed), None));
    let seen = totals.compressed_bytes as usize;
    assert_eq!(totals.blob, Digest::of(&blob[..seen]));
    assert!((1000..blob.len()).contains(&seen), "{seen} of {}", blob.len());
}
