//! Where a report goes: a file that is whole, a device, or a pipe that may be closed.

use std::fs;
use std::process::Stdio;

use super::place::{LAZARET, Place, files};

#[test]
fn a_file_has_what_a_pipe_would() {
    let place = Place::new();
    let report = place.write("report.json", "what was there before, and is longer than nothing");
    let printed = place.run(&["scan", "--format", "json"]).expect(0).stdout;
    let ran = place.run(&["scan", "--format", "json", "--output", &report]).expect(0);
    assert_eq!(ran.stdout, "");
    assert_eq!(fs::read_to_string(&report).unwrap(), printed);
    place.run(&["scan", "-o", "table.txt", "--fail-on", "high"]).expect(1);
    assert_eq!(files(&place.path("")), ["report.json", "table.txt"]);
    assert_eq!(fs::read_to_string(place.path("table.txt")).unwrap(), place.run(&["scan"]).stdout);
    place.run(&["scan", "--output", "/dev/null"]).expect(0);
    assert_eq!(place.run(&["scan", "--output", "/dev/stdout"]).expect(0).stdout, place.run(&["scan"]).stdout);
}

/// What was there before stays where nothing new can be written.
#[test]
fn an_error_replaces_nothing() {
    let place = Place::new();
    let report = place.write("report", "before");
    place.run(&["scan", "/missing", "--output", &report]).expect(2);
    assert_eq!(fs::read_to_string(&report).unwrap(), "before");
    assert_eq!(files(&place.path("")), ["report"]);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    let commands: &[&[&str]] = &[
        &["scan"],
        &["scan", "--format", "json"],
        &["schema"],
        &["completions", "bash"],
        &["version", "compare", "deb", "1", "2"],
        &["--help"],
        &["scan", "--help"],
    ];
    for arguments in commands {
        // Nobody reads: the first byte is refused.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.lazaret(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let ran = place.end(output).expect(0);
        let said: Vec<&str> = ran.stderr.lines().filter(|line| !line.starts_with("no image given")).collect();
        assert!(said.is_empty(), "{arguments:?}: {said:?}");
    }
    // What was found is told all the same.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    place.end(place.lazaret(&["scan", "--fail-on", "high"]).stdout(writer).output().unwrap()).expect(1);
}

#[test]
fn head_may_leave_early() {
    let place = Place::new();
    let script = format!("{LAZARET} scan 2>errors | head -1; echo ${{PIPESTATUS[0]}}");
    let ran = place.end(place.program("bash").args(["-c", &script]).output().unwrap());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(matches!(lines[..], [first, "0"] if first.starts_with("image   sample")), "{lines:?}");
    assert_eq!(fs::read_to_string(place.path("errors")).unwrap().lines().count(), 1);
}

#[test]
fn a_full_disk_is_an_error() {
    let place = Place::new();
    let Ok(full) = fs::File::options().write(true).open("/dev/full") else { return };
    let ran = place.end(place.lazaret(&["scan"]).stdout(full).stderr(Stdio::piped()).output().unwrap()).expect(2);
    assert!(ran.stderr.contains("error: No space left on device"), "{}", ran.stderr);
}
