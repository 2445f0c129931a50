//! Peak resident memory of a whole scan: of an image of 2 GB, and of images of ever more files, which must cost the same.
//!
//! `cargo bench -p lazaret-tests --bench memory`. The images are `docker save` archives made up as they are piped into
//! `lazaret scan -`, so nothing of their size is on disk. Targets: at most 200 MB for 2 GB, flat in the number of files.
//! `LAZARET_BENCH_IMAGE=oci:PATH[:TAG]` measures a real image instead, such as one that `tests/ecosystems/compare` keeps:
//! at most 250 MB.

#![allow(clippy::print_stdout)]

use std::fs;
use std::io::{self, BufWriter, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use lazaret_tests::support::binary::lazaret;
use sha2::{Digest, Sha256};

/// A layer: so many files of so many bytes each, as tar or as gzip of it.
#[derive(Clone, Copy)]
struct Layer {
    files: u64,
    bytes: usize,
    gzip: bool,
}

fn main() {
    if let Ok(image) = std::env::var("LAZARET_BENCH_IMAGE") {
        return measure_real(&image);
    }
    let big = Layer { files: 1000, bytes: 1 << 20, gzip: true };
    measure("2 GB: two gzip layers of 1,000 files of 1 MiB", &[big, big]);
    measure("2 GB: two plain layers of the same", &[Layer { gzip: false, ..big }; 2]);
    for files in [20_000, 200_000, 2_000_000] {
        measure(&format!("{files} empty files in one layer"), &[Layer { files, bytes: 0, gzip: false }]);
    }
}

fn measure_real(image: &str) {
    let start = Instant::now();
    let mut scan = Command::new(lazaret(true))
        .args(["scan", "--scanners", "packages", "--store", "memory:", "--format", "json", image])
        .stdout(Stdio::null())
        .spawn()
        .expect("lazaret starts");
    let peak = peak_kilobytes(&mut scan);
    let status = scan.wait().expect("our child");
    assert!(status.code().is_some(), "{image}: {status}");
    println!("{image}: {:.0} MB of resident memory at most, {:.1} s", peak as f64 / 1e3, start.elapsed().as_secs_f64());
}

fn measure(title: &str, layers: &[Layer]) {
    let start = Instant::now();
    let mut scan = Command::new(lazaret(true))
        .args(["scan", "--scanners", "packages", "--store", "memory:", "--format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("lazaret starts");
    let stdin = scan.stdin.take().expect("a pipe");
    let layers = layers.to_vec();
    let feeder = std::thread::spawn(move || archive(&mut BufWriter::with_capacity(1 << 20, stdin), &layers));
    let peak = peak_kilobytes(&mut scan);
    feeder.join().expect("no panic").expect("the scan reads to the end");
    let output = scan.wait_with_output().expect("its report");
    assert!(output.status.success(), "{title}: {}", output.status);
    println!("{title}: {:.0} MB of resident memory at most, {:.1} s", peak as f64 / 1e3, start.elapsed().as_secs_f64());
}

/// The high-water mark of the process's resident memory, read until it ends.
fn peak_kilobytes(process: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    while process.try_wait().expect("our child").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim_end_matches("kB").trim().parse().ok());
        peak = mark.unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// What `docker save` writes: layers, configuration, and the manifest last.
fn archive(out: &mut impl Write, layers: &[Layer]) -> io::Result<()> {
    let mut names = Vec::new();
    let mut diff_ids = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        // Once for the size and the digest, once for the bytes: a layer is too large to be held.
        let mut measured = Measured::default();
        tar(&mut measured, *layer, index)?;
        diff_ids.push(format!("sha256:{}", measured.hexadecimal()));
        if layer.gzip {
            measured = Measured::default();
            gzip(&mut measured, *layer, index)?;
        }
        let name = format!("{index}/layer.tar");
        header(out, &name, measured.size)?;
        if layer.gzip {
            gzip(out, *layer, index)?
        } else {
            tar(out, *layer, index)?
        };
        pad(out, measured.size)?;
        names.push(name);
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let manifest = serde_json::json!([{ "Config": "config.json", "RepoTags": ["memory:1"], "Layers": names }]);
    for (name, document) in [("config.json", config), ("manifest.json", manifest)] {
        let text = document.to_string();
        header(out, name, text.len() as u64)?;
        out.write_all(text.as_bytes())?;
        pad(out, text.len() as u64)?;
    }
    out.write_all(&[0; 1024])?;
    out.flush()
}

/// gzip of stored blocks: to be inflated like any other, but made without compressing.
fn gzip(out: &mut impl Write, layer: Layer, seed: usize) -> io::Result<()> {
    let mut encoder = GzEncoder::new(out, Compression::none());
    tar(&mut encoder, layer, seed)?;
    encoder.finish().map(|_| ())
}

/// The layer's tar: the files of one directory after another, of bytes that do not compress.
fn tar(out: &mut impl Write, layer: Layer, seed: usize) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ seed as u64;
    let mut content = vec![0; layer.bytes];
    for file in 0..layer.files {
        for word in content.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        header(out, &format!("usr/share/directory-{:04}/file-{file:07}", file / 1000), layer.bytes as u64)?;
        out.write_all(&content)?;
        pad(out, layer.bytes as u64)?;
    }
    out.write_all(&[0; 1024])
}

fn header(out: &mut impl Write, name: &str, size: u64) -> io::Result<()> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.write_all(&header)
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    out.write_all(&[0; 512][..(size.wrapping_neg() % 512) as usize])
}

/// Counts and hashes instead of writing.
#[derive(Default)]
struct Measured {
    size: u64,
    hash: Sha256,
}

impl Measured {
    fn hexadecimal(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
