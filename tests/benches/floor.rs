//! The floor ratio: CPU time of analysing an image's layers over that of inflating and hashing the same blobs, in pairs.
//!
//! `LAZARET_BENCH_IMAGE=oci:PATH:TAG cargo bench -p lazaret-tests --bench floor`; without it, debian-bookworm of the corpus
//! at `LAZARET_CORPUS`. The floor is what nobody can do without who verifies a layer: inflate (flate2 with zlib-rs), SHA-256
//! of the blob, SHA-256 of the tar. Both run on one thread, in turn, and the ratio is taken pair by pair, since the machine
//! is not alone. CPU time is the kernel's, from `/proc/thread-self/schedstat`.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::io::Read;

use lazaret::image::Layer;
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;
use sha2::{Digest, Sha256};

mod clock;
mod image;

use clock::timed;

const PAIRS: usize = 9;

fn main() {
    let Some(blobs) = image::layers() else {
        println!("SKIPPED: set LAZARET_BENCH_IMAGE or LAZARET_CORPUS");
        return;
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let mut ratios = Vec::new();
    for pair in 0..=PAIRS {
        let (floor, bytes) = one.install(|| timed(|| blobs.iter().map(|(_, blob)| floor(blob)).sum::<u64>()));
        let (scan, _) = one.install(|| timed(|| blobs.iter().map(|(layer, blob)| scan(layer, blob)).sum::<u64>()));
        // The first pair warms caches and allocator.
        if pair > 0 {
            let ratio = scan / floor;
            println!("floor {floor:.3} s, scan {scan:.3} s of CPU for {bytes} bytes: ratio {ratio:.3}");
            ratios.push(ratio);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!("floor ratio: median {:.3}, min {:.3}, max {:.3}", ratios[PAIRS / 2], ratios[0], ratios[PAIRS - 1]);
}

fn floor(blob: &[u8]) -> u64 {
    let mut buffer = vec![0; 256 << 10];
    let mut decoder = flate2::bufread::MultiGzDecoder::new(blob);
    let mut tar = Sha256::new();
    let mut total = 0;
    loop {
        let n = decoder.read(&mut buffer).expect("gzip");
        if n == 0 {
            break;
        }
        tar.update(&buffer[..n]);
        total += n as u64;
    }
    black_box((Sha256::digest(blob), tar.finalize()));
    total
}

fn scan(layer: &Layer, blob: &[u8]) -> u64 {
    analyze(blob, &layer.blob, &Limits::default(), Ruleset::built_in()).expect("a good layer").uncompressed_bytes
}
