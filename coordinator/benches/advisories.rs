//! Compiling 100,000 advisories with a million ranges, and opening the result for 1,000 look-ups.
//!
//! The advisories are made up, so that everybody measures the same; with `LAZARET_CORPUS` set, the corpus is compiled too.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use lazaret_coordinator::advisory::{Snapshot, compile};

const ADVISORIES: usize = 100_000;
const PACKAGES: usize = 10;

/// `ECOSYSTEM/all.zip` as a mirror has it: ten packages with a range in each advisory, and a text of ordinary length.
fn archive(directory: &Path) {
    let details = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor. ".repeat(10);
    let mut zip = rawzip::ZipArchiveWriter::new(fs::File::create(directory.join("all.zip")).expect("a file"));
    for number in 0..ADVISORIES {
        let affected: Vec<String> = (0..PACKAGES)
            .map(|place| {
                let package = (number * 7919 + place * 104_729) % 200_000;
                let release = 10 + place % 4;
                let fixed = format!("{}.{}-{}+deb{release}u1", number % 9, place, number % 30);
                format!(
                    r#"{{"package":{{"ecosystem":"Debian:{release}","name":"package-{package}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}"#
                )
            })
            .collect();
        let record = format!(
            r#"{{"id":"DEBIAN-CVE-{number}","modified":"2024-01-01T00:00:00Z","upstream":["CVE-{number}"],"details":"{details}","affected":[{}]}}"#,
            affected.join(",")
        );
        let name = format!("DEBIAN-CVE-{number}.json");
        let entry = zip.new_file(&name).compression_method(rawzip::CompressionMethod::DEFLATE).start();
        let (mut entry, config) = entry.expect("an entry");
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(encoder);
        writer.write_all(record.as_bytes()).expect("written");
        let (encoder, descriptor) = writer.finish().expect("written");
        encoder.finish().expect("written");
        entry.finish(descriptor).expect("written");
    }
    zip.finish().expect("written");
}

fn look_up(snapshot: &Path) -> usize {
    let snapshot = Snapshot::open(snapshot).expect("a snapshot");
    // Every tenth package is unknown.
    let names = (0..1000).map(|number| format!("package-{}", number * 222));
    names.map(|name| snapshot.lookup("Debian:12", &name).expect("an answer").len()).sum()
}

fn advisories(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("out.snapshot");
    archive(directory.path());
    let mut group = criterion.benchmark_group("advisories");
    group.sample_size(10);
    let synthetic = [directory.path().to_owned()];
    group.bench_function("compile 100,000 with 1,000,000 ranges", |bench| {
        bench.iter(|| compile(black_box(&synthetic), &out).expect("a snapshot"));
    });
    group.bench_function("open and 1,000 look-ups", |bench| bench.iter(|| look_up(black_box(&out))));
    group.bench_function("open", |bench| bench.iter(|| Snapshot::open(black_box(&out)).expect("a snapshot")));
    if let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(PathBuf::from) {
        let sources = [corpus.join("osv"), corpus.join("osv-converted")];
        let out = directory.path().join("corpus.snapshot");
        group.bench_function("compile the corpus", |bench| {
            bench.iter(|| compile(black_box(&sources), &out).expect("a snapshot"));
        });
    }
    group.finish();
}

criterion_group!(benches, advisories);
criterion_main!(benches);
