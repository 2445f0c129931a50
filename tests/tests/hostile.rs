//! Malformed and hostile images, made and judged by the corpus's own scripts: each ends as its manifest expects, without a
//! panic, a trace in the temporary directory or a byte of the host, in bounded memory and time.
//!
//! A seeded sample of the groups; with `LAZARET_FULL=1` all of them, by the release build.

#![allow(clippy::print_stderr)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use lazaret_tests::support::binary::lazaret;
use lazaret_tests::support::has_program;
use lazaret_tests::support::process::run;
use serde_json::Value;

/// What every case must keep to, even where its own manifest allows more: megabytes of resident memory, seconds.
const MAX_RSS_MB: u64 = 512;
const MAX_SECONDS: f64 = 30.0;

/// Groups that are made in a few seconds, and always run; those of which the sample takes some; bombs likewise.
const ALWAYS: [&str; 3] = ["paths", "blobs", "archives"];
const SAMPLED: [&str; 5] = ["tar", "manifests", "databases", "langs", "outputs"];
const BOMBS: [&str; 9] = [
    "dup-entries-100k",
    "gzip-fname-50m",
    "gzip-million-members",
    "many-node-modules",
    "million-files",
    "zip-lies",
    "zstd-million-skippable",
    "zstd-window-2g",
    "zstd-window-3t",
];

fn scripts() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS").map(PathBuf::from) else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return None;
    };
    let scripts = corpus.join("scripts");
    assert!(scripts.join("hostile.py").is_file(), "LAZARET_CORPUS is set, but has no {}", scripts.display());
    ["python3", "zstd", "readelf"].into_iter().all(has_program).then_some(scripts)
}

/// Groups and cases to make, in the words of `hostile.py`; none means all.
fn sample() -> Vec<&'static str> {
    let seed: usize = std::env::var("LAZARET_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    eprintln!("LAZARET_SEED={seed}");
    let two = |names: &[&'static str]| [names[seed % names.len()], names[(seed + 1) % names.len()]];
    [&ALWAYS[..], &two(&SAMPLED), &["bombs"], &two(&BOMBS)].concat()
}

fn judged(scripts: &Path, full: bool) -> Vec<Value> {
    let binary = lazaret(full);
    let scratch = tempfile::tempdir().unwrap();
    let chosen = if full { Vec::new() } else { sample() };
    run(Command::new("python3").arg(scripts.join("hostile.py")).args(&chosen).env("CORPUS", scratch.path()));
    let results = scratch.path().join("results.json");
    let scan = ["scan", "--scanners", "packages", "--store", "memory:", "--format", "json", "{ref}"];
    let judge: Vec<OsString> = [
        [scripts.join("run_hostile.py").into(), "-o".into(), results.clone().into(), "--".into(), binary.into()]
            .to_vec(),
        scan.map(OsString::from).to_vec(),
    ]
    .concat();
    // What it measures may be left behind is what stands in a temporary directory; its own is below the scratch directory.
    run(Command::new("python3").args(judge).env("CORPUS", scratch.path()).env("TMPDIR", scratch.path()));
    serde_json::from_slice(&std::fs::read(results).unwrap()).unwrap()
}

#[test]
fn every_case_ends_as_expected() {
    let Some(scripts) = scripts() else { return };
    let full = std::env::var_os("LAZARET_FULL").is_some_and(|full| full == "1");
    let cases = judged(&scripts, full);
    let mut bad = Vec::new();
    let (mut most, mut longest) = (0, 0.0_f64);
    for case in &cases {
        let mut problems: Vec<String> =
            case["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap().to_owned()).collect();
        let (rss, seconds) = (case["rss_mb"].as_u64().unwrap(), case["wall_s"].as_f64().unwrap());
        (most, longest) = (most.max(rss), longest.max(seconds));
        if rss > MAX_RSS_MB {
            problems.push(format!("{rss} MB, more than {MAX_RSS_MB}"));
        }
        if seconds > MAX_SECONDS {
            problems.push(format!("{seconds} s, more than {MAX_SECONDS}"));
        }
        if !problems.is_empty() {
            let said = case["stderr_tail"].as_str().unwrap_or_default();
            bad.push(format!("{} (expected {}): {} [{said}]", case["name"], case["expect"], problems.join("; ")));
        }
    }
    eprintln!("{} of {} as expected; at most {most} MB, {longest} s", cases.len() - bad.len(), cases.len());
    assert!(cases.len() >= if full { 270 } else { 80 }, "only {} cases", cases.len());
    assert!(bad.is_empty(), "not as expected:\n{}", bad.join("\n"));
}
