//! Ctrl-C: the end, at once, and nothing left behind.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lazaret_loadtest::tar::Tar;

use super::place::Place;

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

/// How the process ended within two seconds.
fn ended(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it went on");
}

/// What a shell shows as `$?`.
fn code(status: ExitStatus) -> Option<i32> {
    status.code().or(status.signal().map(|signal| 128 + signal))
}

#[test]
fn an_archive_that_trickles_in_can_be_interrupted() {
    for (name, number) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new();
        let mut child = place
            .lazaret(&["scan", "-", "--offline", "--output", "report"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let archive = Tar::default().file("0/layer.tar", &"x".repeat(100_000)).finish();
        let mut stdin = child.stdin.take().unwrap();
        for piece in archive[..60_000].chunks(10_000) {
            stdin.write_all(piece).unwrap();
            stdin.flush().unwrap();
            thread::sleep(Duration::from_millis(40));
        }
        assert!(child.try_wait().unwrap().is_none(), "it did not wait for the rest");
        signal(&child, name);
        assert_eq!(code(ended(&mut child)), Some(number));
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
        assert_eq!(place.temporary_files(), 0);
        assert!(!place.path("report").exists());
    }
}

/// The sample image is the one thing that is built on disk. It is caught here at any moment of its short life.
#[test]
fn the_sample_is_not_left_behind() {
    let place = Place::new();
    let mut interrupted = 0;
    for delay in (0..40).map(|step| Duration::from_millis(step * 2)) {
        for name in ["INT", "TERM", "HUP"] {
            let mut child = place.lazaret(&["scan"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(delay);
            signal(&child, name);
            let status = ended(&mut child);
            interrupted += u32::from(!status.success());
            assert_eq!(place.temporary_files(), 0, "{name} after {delay:?}: {status}");
        }
    }
    assert!(interrupted > 0, "no run was interrupted");
}
