//! Secret scanning alone: GB of file content for each second of one core, with all rules on, beside two floors.
//!
//! `LAZARET_BENCH_TREES=/path/of/debian:/path/of/node:/path/of/python cargo bench -p lazaret-tests --bench secrets`; the trees are
//! what `tests/ecosystems/compare --keep DIRECTORY apt npm pip` leaves in `DIRECTORY/*/root`. Of each as much is read into memory
//! as is its share of `LAZARET_BENCH_BYTES` (1 GB), whole files in an order that their names' hashes make. The floors are
//! memchr of a byte that is rare, which reads and does no more, and SHA-256, which a layer's verification does with the same
//! bytes. Each round times all three in turn, in CPU time of the kernel, from `/proc/thread-self/schedstat`. Files come in pieces
//! as from a layer that is inflated into a buffer of 256 KiB. `LAZARET_BENCH_ROUNDS=1` is for profiles.

#![allow(clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use lazaret::path::LayerPath;
use lazaret_tests::support::shuffled_files;
use lazaret_worker::secrets;
use sha2::{Digest, Sha256};

mod clock;

use clock::{spread, timed};

const ROUNDS: usize = 7;
/// What a layer is inflated into.
const BUFFER: usize = 256 << 10;

struct File {
    path: LayerPath,
    bytes: Vec<u8>,
    /// Of the buffer that it begins in, so many bytes are left.
    left: usize,
}

fn main() {
    let Ok(trees) = std::env::var("LAZARET_BENCH_TREES") else {
        println!(
            "SKIPPED: set LAZARET_BENCH_TREES to trees of real files, such as tests/ecosystems/compare --keep leaves"
        );
        return;
    };
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |n| n.parse().expect("a number"));
    let (most, rounds) = (number("LAZARET_BENCH_BYTES", 1 << 30), number("LAZARET_BENCH_ROUNDS", ROUNDS));
    let trees: Vec<&str> = trees.split(':').collect();
    let mut all = Vec::new();
    for tree in &trees {
        all.push((*tree, read(Path::new(tree), most / trees.len())));
    }
    let every = || all.iter().flat_map(|(_, files)| files);
    secrets::warm_up();
    measure("everything", &every().collect::<Vec<_>>(), rounds);
    for (tree, files) in &all {
        measure(tree, &files.iter().collect::<Vec<_>>(), rounds.min(3));
    }
    for part in ["archives", "executables", "other files"] {
        measure(part, &every().filter(|file| part_of(file) == part).collect::<Vec<_>>(), rounds.min(3));
    }
}

/// Files of at most so many bytes together.
fn read(tree: &Path, most: usize) -> Vec<File> {
    let paths = shuffled_files(tree);
    let (mut files, mut total, mut at) = (Vec::new(), 0, 0);
    for path in paths {
        let Ok(bytes) = fs::read(&path) else { continue };
        if total + bytes.len() > most {
            continue;
        }
        total += bytes.len();
        let name = path.strip_prefix(tree).expect("below it").to_string_lossy().into_owned();
        at += 512;
        let left = BUFFER - at % BUFFER;
        at += bytes.len().next_multiple_of(512);
        files.push(File { path: LayerPath::from(name.as_str()), bytes, left });
    }
    files
}

fn part_of(file: &File) -> &'static str {
    let bytes = &file.bytes;
    if bytes.starts_with(b"\x1f\x8b\x08") || bytes.starts_with(b"PK\x03\x04") || bytes.get(257..262) == Some(b"ustar") {
        "archives"
    } else if bytes.starts_with(b"\x7fELF") {
        "executables"
    } else {
        "other files"
    }
}

fn measure(title: &str, files: &[&File], rounds: usize) {
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    let mut rates: [Vec<f64>; 3] = Default::default();
    let mut found = 0;
    for _ in 0..rounds {
        let (read, _) =
            timed(|| files.iter().map(|file| memchr::memchr_iter(0xf7, &file.bytes).count()).sum::<usize>());
        let (hash, _) =
            timed(|| files.iter().map(|file| black_box(Sha256::digest(&file.bytes))[0] as usize).sum::<usize>());
        let (scan, all) = timed(|| files.iter().map(|file| scan(file)).sum::<usize>());
        found = all;
        for (rates, seconds) in rates.iter_mut().zip([read, hash, scan]) {
            rates.push(bytes as f64 / 1e9 / seconds);
        }
    }
    let [[read, ..], [hash, ..], [scan, least, most]] = rates.map(spread);
    println!(
        "{title}: {} files, {:.0} MB, {found} exposures: secrets {:.2} GB/s (min {:.2}, max {:.2}), memchr {:.2}, SHA-256 {:.2}; \
         secrets cost {:.2} of SHA-256",
        files.len(),
        bytes as f64 / 1e6,
        scan,
        least,
        most,
        read,
        hash,
        hash / scan,
    );
}

fn scan(file: &File) -> usize {
    let (first, rest) = file.bytes.split_at(file.bytes.len().min(file.left));
    let pieces = std::iter::once(first).chain(rest.chunks(BUFFER));
    secrets::file(&file.path, file.bytes.len() as u64, pieces).len()
}
