//! The floor ratio: CPU time of analysing an image's layers over that of inflating and hashing the same blobs, in rounds.
//!
//! `LAZARET_BENCH_IMAGE=oci:PATH:TAG cargo bench -p lazaret-tests --bench floor`; without it, debian-bookworm of the corpus
//! at `LAZARET_CORPUS`. The floor is what nobody can do without who verifies a layer: inflate (flate2 with zlib-rs), SHA-256
//! of the blob, SHA-256 of the tar. All run on one thread, in turn, and the ratios are taken round by round, since the machine
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

use clock::{spread, timed};

const ROUNDS: usize = 9;

fn main() {
    let Some(blobs) = image::layers() else {
        println!("SKIPPED: set LAZARET_BENCH_IMAGE or LAZARET_CORPUS");
        return;
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let mut ratios: [Vec<f64>; 2] = Default::default();
    for round in 0..=ROUNDS {
        let (floor, bytes) = one.install(|| timed(|| blobs.iter().map(|(_, blob)| floor(blob)).sum::<u64>()));
        let scans = [Ruleset::without_malware(), Ruleset::built_in()].map(|rules| {
            one.install(|| timed(|| blobs.iter().map(|(layer, blob)| scan(layer, blob, rules)).sum::<u64>())).0
        });
        // The first round warms caches and allocator.
        if round > 0 {
            let [without, scan] = scans;
            println!(
                "floor {floor:.3} s, packages and secrets {without:.3} s, with malware {scan:.3} s of CPU for {bytes} bytes"
            );
            for (ratios, seconds) in ratios.iter_mut().zip(scans) {
                ratios.push(seconds / floor);
            }
        }
    }
    for (what, ratios) in ["packages and secrets", "with malware"].into_iter().zip(ratios) {
        let [median, min, max] = spread(ratios);
        println!("floor ratio, {what}: median {median:.3}, min {min:.3}, max {max:.3}");
    }
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

fn scan(layer: &Layer, blob: &[u8], rules: Ruleset) -> u64 {
    analyze(blob, &layer.blob, &Limits::default(), rules).expect("a good layer").uncompressed_bytes
}
