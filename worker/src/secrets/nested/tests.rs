//! Archives made here, with a token at the bottom of each.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::super::template::Made;
use super::*;

fn token(seed: &str) -> String {
    Made::of(seed).text("ghp_{alnum:30}{crc}")
}

/// Path, line and rule of what is found in the file, in pieces of each of these sizes alike.
fn found(path: &str, bytes: &[u8]) -> Vec<(String, u64, String)> {
    let search = |size: usize| {
        let mut file =
            File::begin(Rules::built_in(), malware::Engine::built_in(), &path.into(), bytes.len() as u64, 0o644);
        bytes.chunks(size).for_each(|piece| file.feed(piece));
        let Outcome { mut found, cut, .. } = file.finish();
        assert!(!cut);
        found.sort();
        let told = found.into_iter().map(|found| (found.path.to_string(), found.line, found.rule));
        told.collect::<Vec<_>>()
    };
    let whole = search(usize::MAX);
    for size in [1, 7, 511, 513, 4096] {
        assert_eq!(search(size), whole, "in pieces of {size}");
    }
    whole
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let mut archive = header.to_vec();
    archive.extend_from_slice(bytes);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

fn zip(name: &str, bytes: &[u8], deflated: bool, described: bool) -> Vec<u8> {
    let packed = match deflated {
        true => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        }
        false => bytes.to_vec(),
    };
    let sizes = |n: usize| if described { [0; 4] } else { (n as u32).to_le_bytes() };
    let mut archive = b"PK\x03\x04\x14\0".to_vec();
    archive.extend([if described { 8 } else { 0 }, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    archive.extend(sizes(packed.len()));
    archive.extend(sizes(bytes.len()));
    archive.extend((name.len() as u16).to_le_bytes());
    archive.extend([0, 0]);
    archive.extend(name.as_bytes());
    archive.extend(&packed);
    if described {
        archive.extend(b"PK\x07\x08\x01\x02\x03\x04");
        archive.extend((packed.len() as u32).to_le_bytes());
        archive.extend((bytes.len() as u32).to_le_bytes());
    }
    archive
}

fn pat(path: &str, line: u64) -> (String, u64, String) {
    (path.to_owned(), line, "github-pat".to_owned())
}

#[test]
fn compressed_files_are_searched() {
    let text = format!("first\ntoken {}\n", token("gz"));
    assert_eq!(found("a/b.gz", &gzip(text.as_bytes())), [pat("a/b.gz", 2)]);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    let object = encoder.finish().expect("memory");
    assert_eq!(found("a/.git/objects/ab/cdef", &object), [pat("a/.git/objects/ab/cdef", 2)]);
}

#[test]
fn gzip_in_tar_in_zip() {
    let inner = gzip(format!("x={}", token("deep")).as_bytes());
    let archive = zip("outer.tar", &tar("dir/inner.gz", &inner), true, false);
    assert_eq!(found("a.zip", &archive), [pat("a.zip!/outer.tar!/dir/inner.gz", 1)]);
}

#[test]
fn every_file_of_a_zip_however_it_is_written() {
    let mut archive = Vec::new();
    for (number, (deflated, described)) in
        [(true, true), (false, false), (true, false), (true, true)].into_iter().enumerate()
    {
        let text = format!("key: {}\n", token(&number.to_string()));
        archive.extend(zip(&format!("f{number}"), text.as_bytes(), deflated, described));
    }
    archive.extend(b"PK\x01\x02 and so on, the directory at its end");
    // So long that the pieces are handed on as they come.
    archive.splice(0..0, zip("first", &[b'.'; 600], false, false));
    let expected: Vec<_> = (0..4).map(|number| pat(&format!("app.jar!/f{number}"), 1)).collect();
    assert_eq!(found("app.jar", &archive), expected);
}

#[test]
fn wide_characters_are_read() {
    let text = format!("a\r\nTOKEN={}\r\n", token("wide"));
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [[&[0xff, 0xfe][..], &little].concat(), [&[0xfe, 0xff][..], &big].concat(), little, big] {
        assert_eq!(found("a.txt", &bytes), [pat("a.txt", 2)]);
    }
}

#[test]
fn bombs_and_depths_are_bounded_and_told() {
    let mut nested = token("bottom").into_bytes();
    for _ in 0..MAX_DEPTH {
        nested = gzip(&nested);
    }
    assert_eq!(found("a", &nested), [pat("a", 1)]);
    let mut file = File::begin(Rules::built_in(), malware::Engine::built_in(), &"a".into(), 0, 0);
    file.feed(&gzip(&nested));
    let Outcome { found, limited, .. } = file.finish();
    assert!(found.is_empty() && limited);
    let room = Room {
        bytes: Cell::new(1 << 20),
        found: Cell::default(),
        cut: Cell::new(false),
        limited: Cell::new(false),
        malware: Cell::default(),
    };
    let (stream, engine) = (Stream::new(Rules::built_in()), malware::Engine::built_in());
    let mut file = File::new(stream, engine, "a".into(), 0, 0, Rc::new(room));
    file.feed(&gzip(&vec![0; 8 << 20]));
    assert!(file.finish().limited);
}

#[test]
fn broken_archives_are_searched_as_far_as_they_go() {
    let text = format!("{}\n{}", token("whole"), ".".repeat(100_000));
    let mut archive = gzip(&[text.as_bytes(), &blake3::hash(b"noise").as_bytes().repeat(4000)].concat());
    archive.truncate(archive.len() / 2);
    assert_eq!(found("a.gz", &archive), [pat("a.gz", 1)]);
    for bytes in [&b"PK\x03\x04"[..], b"\x1f\x8b\x08", b"PK\x03\x04\0\0\0\0\x08\0 cut", &tar("x", b"y")[..600]] {
        assert_eq!(found("a", bytes), []);
    }
}
