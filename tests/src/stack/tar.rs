//! Entries as an uncompressed ustar archive.

use super::{Entry, Kind, bytes};

const BLOCK: usize = 512;

/// The tar of one layer.
///
/// # Panics
/// A name or target of 100 bytes or more, which the plain header does not hold.
pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity((2 * entries.len() + 2) * BLOCK);
    for entry in entries {
        let (flag, link, content, mode) = match &entry.kind {
            Kind::Directory => (b'5', "", Vec::new(), 0o755),
            Kind::File { content, executable } => (b'0', "", bytes(content), if *executable { 0o755 } else { 0o644 }),
            Kind::Symlink(target) => (b'2', target.as_str(), Vec::new(), 0o777),
            Kind::HardLink(target) => (b'1', target.as_str(), Vec::new(), 0o644),
        };
        out.extend_from_slice(&header(&entry.name, flag, link, content.len(), mode));
        out.extend_from_slice(&content);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn header(name: &str, flag: u8, link: &str, size: usize, mode: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    assert!(name.len() < 100 && link.len() < 100, "too long for a plain header: {name} {link}");
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0        ");
    put(156, &[flag]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}
