//! The demonstration: what it counts, what it says where something is missing, and how it ends.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::place::{LAZARET, Place};

fn figures(place: &Place, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.path(file)).unwrap()).unwrap()
}

#[test]
fn each_distinct_layer_is_pulled_once_and_the_second_night_pulls_nothing() {
    let place = Place::new();
    let ran = place.run(&["demo", "--images", "20", "--json", "figures.json"]).expect(0);
    assert_eq!(ran.stderr, "");
    let figures = figures(&place, "figures.json");
    let (first, second) = (&figures["first"], &figures["second"]);
    let count = |night: &Value, name: &str| night[name].as_u64().unwrap_or_else(|| panic!("{name}: {night}"));
    let distinct = count(first, "distinct_layers");
    assert!(distinct > 30 && count(first, "layer_references") > 2 * distinct, "{first}");
    assert_eq!((count(first, "layer_gets"), count(first, "most_gets_of_one_layer")), (distinct, 1));
    assert_eq!((count(first, "layers_analysed"), count(first, "layers_reused")), (distinct, 0));
    assert!(count(first, "bytes_if_each_image_were_pulled") > 2 * count(first, "bytes_pulled"), "{first}");
    assert_eq!((count(second, "blob_gets"), count(second, "manifest_gets")), (0, 0));
    assert_eq!(count(second, "manifest_heads"), 20);
    for night in [first, second] {
        assert!(count(night, "findings") > 300, "{night}");
        assert_eq!(count(night, "findings"), count(night, "expected_findings"));
    }
    let new = count(second, "new_findings");
    assert!(new > 20 && count(second, "findings") == count(first, "findings") + new, "{second}");
    let pulled = format!("each distinct layer once: {distinct} of {}", count(first, "layer_references"));
    for part in ["first night", &pulled, "worst images", "worst packages", "0 blobs, 0 manifests", " s in all\n"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn a_seed_is_a_fleet() {
    let place = Place::new();
    let tables = |seed: &str| {
        let ran = place.run(&["demo", "--images", "3", "--seed", seed]).expect(0);
        let tables = ran.stdout.split("worst images").nth(1).and_then(|rest| rest.split("second night").next());
        tables.unwrap().to_owned()
    };
    let (one, again, other) = (tables("7"), tables("7"), tables("8"));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn what_is_wrong_or_missing_is_said() {
    let place = Place::new();
    for (arguments, said) in [
        (&["demo", "--images", "0"][..], "1..=10000"),
        (&["demo", "--images", "10001"], "1..=10000"),
        (&["demo", "--seed", "one"], "--seed"),
        (&["demo", "--queue", "amqp://127.0.0.1"], "--farm"),
        (&["demo", "--workers", "2"], "--farm"),
        (&["demo", "--farm", "--workers", "0"], "1..=64"),
        (&["demo", "--farm", "--queue", "memory:"], "name a broker with --queue"),
        (&["demo", "--farm", "--queue", "amqp://x", "--cache", "none:", "--store", "memory:"], "--store file:PATH"),
        (&["demo", "image"], "unexpected argument"),
    ] {
        let ran = place.run(arguments).expect(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let ran = place.run(&["demo", "--images", "1", "--json", "no/such/place"]).expect(2);
    assert!(ran.stderr.contains("cannot write no/such/place"), "{}", ran.stderr);
    // A program without a worker beside it.
    let lonely = place.path("lazaret");
    std::fs::hard_link(LAZARET, &lonely).or_else(|_| std::fs::copy(LAZARET, &lonely).map(drop)).unwrap();
    let mut command = place.program(lonely.to_str().unwrap());
    command.args(["demo", "--farm", "--queue", "amqp://127.0.0.1", "--cache", "none:"]);
    let ran = place.end(command.output().unwrap()).expect(2);
    assert!(ran.stderr.contains("cargo build --release --package lazaret-worker"), "{}", ran.stderr);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let place = Place::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.lazaret(&["demo", "--images", "2"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(place.end(output).expect(0).stderr, "");
}

/// Caught at any moment: no directory is left.
#[test]
fn an_interrupt_leaves_nothing_behind() {
    let place = Place::new();
    let mut interrupted = 0;
    for (delay, name) in [(10, "INT"), (100, "TERM"), (300, "INT"), (600, "HUP"), (1000, "INT")] {
        let mut command = place.lazaret(&["demo", "--images", "200"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it went on");
            std::thread::sleep(Duration::from_millis(5));
        };
        interrupted += u32::from(status.code().is_some_and(|code| code > 128) || status.signal().is_some());
        assert_eq!(place.temporary_files(), 0, "{name} after {delay} ms");
    }
    assert!(interrupted > 0, "no run was interrupted");
}
