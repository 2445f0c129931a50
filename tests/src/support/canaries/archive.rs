//! Bytes of files and layers: tar, zip and gzip, written here.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::super::oci_fixture::noise;
use super::Form;

/// The file that a text becomes.
pub(super) fn file(text: &str, form: Form) -> Vec<u8> {
    match form {
        Form::Plain => text.into(),
        Form::Crlf => text.replace("\r\n", "\n").replace('\n', "\r\n").into(),
        Form::Wide => [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
        Form::LongLine => [&"a=[1];".repeat(100_000), text, &"b=[2];".repeat(100_000)].concat().into(),
        Form::Binary => [&noise(70_000, 1)[..], b"\0", text.as_bytes(), b"\0", &noise(70_000, 2)].concat(),
        Form::Gzip => gzip(text.as_bytes()),
        Form::Nested => zip("inner.tar", &tar(&[("dir/inner.gz".to_owned(), gzip(text.as_bytes()))])),
        Form::GitObject => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).expect("memory");
            encoder.finish().expect("memory")
        }
    }
}

/// Gzip of some bytes.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar of files.
pub(super) fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A zip of one file that is stored, without the directory at the end, which nobody needs who reads from the front.
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let size = (bytes.len() as u32).to_le_bytes();
    let mut archive = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".to_vec();
    archive.extend(crc32fast::hash(bytes).to_le_bytes());
    archive.extend([size, size].concat());
    archive.extend((name.len() as u16).to_le_bytes());
    archive.extend([0, 0]);
    archive.extend(name.as_bytes());
    archive.extend(bytes);
    archive
}
