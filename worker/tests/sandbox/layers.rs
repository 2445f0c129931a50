//! Layers to analyse: of the golden files, of random ones, and of the corpus.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use lazaret::digest::Digest;
use lazaret::image::Descriptor;

/// The descriptor that names `blob` truly.
pub fn named(blob: &[u8]) -> Descriptor {
    Descriptor { media_type: String::new(), digest: Digest::of(blob), size: blob.len() as u64 }
}

/// A blob made of `tar`, in one of three wrappings.
pub fn wrap(tar: &[u8], how: u64) -> Vec<u8> {
    match how % 3 {
        0 => tar.to_vec(),
        1 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(tar).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::bulk::compress(tar, 1).unwrap(),
    }
}

/// A tar of `files`, as `ustar` has it.
pub fn tar<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A layer of a few packages.
pub fn small() -> Vec<u8> {
    let status = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n";
    wrap(&tar([("var/lib/dpkg/status", &status[..]), ("etc/hostname", b"x")]), 1)
}

/// A layer for each golden case.
pub fn golden() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let extractors = children(&root).into_iter().filter(|path| path.is_dir());
    let cases = extractors.flat_map(|extractor| children(&extractor));
    let layer = |(index, case): (usize, PathBuf)| {
        let files: Vec<_> = files(&case).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        let name = |path: &Path| path.strip_prefix(&case).unwrap().to_str().unwrap().to_owned();
        let files: Vec<_> = files.into_iter().map(|(path, content)| (name(&path), content)).collect();
        let short = files.iter().filter(|(name, _)| name.len() <= 100);
        wrap(&tar(short.map(|(name, content)| (name.as_str(), content.as_slice()))), index as u64)
    };
    cases.filter(|case| case.is_dir()).enumerate().map(layer).collect()
}

/// `layers` with bytes changed, cut off, or doubled, by a seeded die.
pub fn damaged(layers: &[Vec<u8>], count: u64) -> Vec<Vec<u8>> {
    let mut die = Die(0x9e37_79b9_7f4a_7c15);
    let mut damage = |_| {
        let mut layer = layers[die.below(layers.len())].clone();
        for _ in 0..=die.below(4) {
            let at = die.below(layer.len());
            match die.below(4) {
                0 => layer.truncate(at),
                1 => layer.extend_from_within(at..),
                _ => layer[at] ^= 1 << die.below(8),
            }
            if layer.is_empty() {
                break;
            }
        }
        layer
    };
    (0..count).map(&mut damage).collect()
}

/// xorshift64.
struct Die(u64);

impl Die {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// The blobs of the corpus that are layers, and where they are; nothing, loudly, where there is no corpus.
pub fn corpus() -> Vec<PathBuf> {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return Vec::new();
    };
    let blobs = children(&PathBuf::from(corpus).join("images/blobs/sha256"));
    assert!(blobs.len() > 20, "the corpus has no images");
    // Manifests and configurations are JSON.
    blobs.into_iter().filter(|blob| !starts_with_brace(blob)).collect()
}

fn starts_with_brace(path: &Path) -> bool {
    use std::io::Read;
    let mut first = [0];
    fs::File::open(path).unwrap().read_exact(&mut first).is_ok() && first == *b"{"
}

fn children(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn files(directory: &Path) -> Vec<PathBuf> {
    children(directory).into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
