//! The floor ratio: CPU time of analysing an image's layers over that of inflating and hashing the same blobs, in pairs.
//!
//! `LAZARET_BENCH_IMAGE=oci:PATH:TAG cargo bench -p lazaret-tests --bench floor`; without it, debian-bookworm of the corpus
//! at `LAZARET_CORPUS`. The floor is what nobody can do without who verifies a layer: inflate (flate2 with zlib-rs), SHA-256
//! of the blob, SHA-256 of the tar. Both run on one thread, in turn, and the ratio is taken pair by pair, since the machine
//! is not alone. CPU time is the kernel's, from `/proc/thread-self/schedstat`.

#![allow(clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::io::Read;

use lazaret::door::source::{ImageSource, OciLayout, PlatformChoice};
use lazaret::image::{Image, Layer};
use lazaret::reference::Reference;
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;
use sha2::{Digest, Sha256};

const PAIRS: usize = 9;

fn main() {
    let Some((layout, image)) = image() else {
        println!("SKIPPED: set LAZARET_BENCH_IMAGE or LAZARET_CORPUS");
        return;
    };
    let blobs: Vec<(Layer, Vec<u8>)> = image.layers.iter().map(|layer| (layer.clone(), blob(&layout, layer))).collect();
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

fn image() -> Option<(OciLayout, Image)> {
    let reference = std::env::var("LAZARET_BENCH_IMAGE").ok().or_else(|| {
        let corpus = std::env::var("LAZARET_CORPUS").ok()?;
        Some(format!("oci:{corpus}/images:debian-bookworm"))
    })?;
    let Reference::OciLayout(path, tag) = reference.parse().expect("a reference") else {
        panic!("oci:PATH:TAG, please")
    };
    let layout = OciLayout::open(&path, tag.as_deref()).expect("a layout");
    let image = layout.images(&PlatformChoice::Host).expect("an image").remove(0);
    Some((layout, image))
}

fn blob(layout: &OciLayout, layer: &Layer) -> Vec<u8> {
    let mut bytes = Vec::new();
    layout.open_blob(&layer.blob).expect("a blob").read_to_end(&mut bytes).expect("readable");
    bytes
}

/// CPU seconds of this thread, and what `work` gave.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let result = black_box(work());
    (cpu() - start, result)
}

fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    let nanoseconds: f64 = stat.split_whitespace().next().and_then(|n| n.parse().ok()).expect("nanoseconds");
    nanoseconds / 1e9
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
