//! Fifty secrets in one image: `lazaret scan` finds each of them, and shows none, in no format, file, log, kept object or core dump.
//! What a farm writes is looked through in `farm/canaries.rs`.

#![allow(clippy::print_stderr)]

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use lazaret::image::Platform;
use lazaret_tests::support::binary::of_this_build;
use lazaret_tests::support::canaries::{self, Canary, Needles, Place};
use lazaret_tests::support::process::run;
use serde_json::Value;
use tempfile::TempDir;

/// An image with the canaries, and a directory for whatever is written.
struct Scene {
    canaries: Vec<Canary>,
    needles: Needles,
    image: TempDir,
    work: TempDir,
}

impl Scene {
    fn new(seed: &str) -> Self {
        let canaries = canaries::all(seed);
        let image = tempfile::tempdir().unwrap();
        canaries::image(&canaries, &Platform::host().architecture).write(image.path());
        Self { needles: Needles::of(&canaries), canaries, image, work: tempfile::tempdir().unwrap() }
    }

    /// `lazaret` with a home of its own and everything logged.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(of_this_build("lazaret"));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.work.path()).env("LAZARET_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.current_dir(self.work.path()).args(arguments).stdin(Stdio::null());
        command
    }

    fn scan(&self, arguments: &[&str], image: &str) -> Output {
        let output = self.command(&["scan", "--offline"]).args(arguments).arg(image).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}: {said}", output.status);
        self.needles.assert_none(&format!("standard output with {arguments:?}"), &output.stdout);
        self.needles.assert_none(&format!("standard error with {arguments:?}"), &output.stderr);
        output
    }

    fn reference(&self) -> String {
        format!("oci:{}:1", self.image.path().display())
    }

    /// That every canary is told by its own rule and where it is, and every file that was broken has a gap.
    fn assert_found(&self, report: &[u8]) {
        let report: Value = serde_json::from_slice(report).unwrap();
        let rows = |name: &str| report[name].as_array().unwrap().clone();
        let (exposures, gaps) = (rows("exposures"), rows("gaps"));
        let starts = |row: &Value, place: Place| row["path"].as_str().unwrap().starts_with(place.path());
        let mut missing = Vec::new();
        for Canary { rule, place, .. } in &self.canaries {
            if !exposures.iter().any(|row| row["rule"] == *rule && starts(row, *place)) {
                missing.push(format!("{rule} at {}", place.path()));
            }
            if matches!(place, Place::Malformed(_)) && !gaps.iter().any(|gap| starts(gap, *place)) {
                missing.push(format!("a gap at {}", place.path()));
            }
        }
        let told: Vec<String> = exposures.iter().map(|row| format!("{} at {}", row["rule"], row["path"])).collect();
        assert!(missing.is_empty(), "not found: {missing:#?}\nof {told:#?}");
    }
}

#[test]
fn every_canary_is_found_and_none_is_shown() {
    let scene = Scene::new("scan");
    assert_eq!(scene.canaries.len(), 50);
    let store = format!("file:{}", scene.work.path().join("store").display());
    let image = scene.reference();
    // As it is analysed, and then again from what was kept.
    for _ in 0..2 {
        for format in ["table", "json"] {
            let shown = scene.scan(&["--store", &store, "--format", format, "--include-declared"], &image);
            assert!(!shown.stdout.is_empty());
            if format == "json" {
                scene.assert_found(&shown.stdout);
            }
            let file = scene.work.path().join(format);
            scene.scan(&["--store", &store, "--format", format, "--output", file.to_str().unwrap()], &image);
            assert!(file.is_file());
        }
    }
    // What the engine's other ways in write, and a store of their own.
    let archive = scene.work.path().with_extension("tar");
    run(Command::new("tar").arg("-C").arg(scene.image.path()).arg("-cf").arg(&archive).arg("."));
    let shown = scene.scan(&["--format", "json"], &format!("oci-archive:{}:1", archive.display()));
    scene.assert_found(&shown.stdout);
    fs::remove_file(&archive).unwrap();

    let written = files(scene.work.path());
    let kept = written.iter().filter(|path| path.starts_with(scene.work.path().join("store"))).count();
    assert!(kept > 3, "only {kept} objects were kept");
    for path in written {
        scene.needles.assert_none(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

#[test]
fn a_crash_writes_no_memory_to_a_disk() {
    let scene = Scene::new("core");
    // Whether this machine writes any: a process that nobody forbade.
    let control = tempfile::tempdir().unwrap();
    let dumps = |mut command: Command, directory: &Path| {
        let status = command.current_dir(directory).status().unwrap();
        (status, files(directory).len())
    };
    let mut crash = Command::new("sh");
    crash.args(["-c", "ulimit -c unlimited && kill -ABRT $$"]);
    let (status, _) = dumps(crash, control.path());
    if !status.core_dumped() {
        eprintln!("SKIPPED: this machine writes no core dumps: {status}");
        return;
    }

    // The layers come first, so that their secrets are in memory while the rest is waited for.
    let names = ["blobs", "oci-layout", "index.json"];
    let tar = run(Command::new("tar").arg("-C").arg(scene.image.path()).args(["-cf", "-"]).args(names));
    let empty = tempfile::tempdir().unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -c unlimited && exec \"$0\" scan --offline --store memory: -"]);
    limited.arg(of_this_build("lazaret")).current_dir(empty.path()).env("HOME", scene.work.path());
    let mut child = limited.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&tar[..tar.len() - 4096]).unwrap();
    stdin.flush().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(50));
    }
    run(Command::new("kill").arg("-ABRT").arg(child.id().to_string()));
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
    assert_eq!(files(empty.path()), Vec::<PathBuf>::new());
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}
