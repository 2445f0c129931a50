//! `lazaret demo --farm` over real servers: the figures of the demonstration in one process.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lazaret_tests::support::binary;
use lazaret_tests::support::rabbitmq::RabbitMq;
use lazaret_tests::support::redis_server::{RedisOptions, RedisServer};
use serde_json::Value;

fn demo(lazaret: &Path, directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(lazaret);
    for variable in ["LAZARET_QUEUE", "LAZARET_CACHE", "LAZARET_STORE"] {
        command.env_remove(variable);
    }
    command.args(["demo", "--images", "40", "--json", "figures.json"]).args(arguments);
    command.current_dir(directory).env("TMPDIR", directory.join("tmp")).stdin(Stdio::null()).output().unwrap()
}

fn figures(directory: &Path) -> Value {
    let mut figures: Value = serde_json::from_slice(&std::fs::read(directory.join("figures.json")).unwrap()).unwrap();
    // What no two runs have in common.
    for night in ["first", "second"] {
        figures[night]["seconds"].take();
    }
    figures["first"]["analysis_cpu_seconds"].take();
    figures["seconds"].take();
    figures["farm_workers"].take();
    figures
}

#[test]
fn a_farm_counts_what_one_process_counts() {
    let (Some(broker), Some(redis)) = (RabbitMq::start(), RedisServer::start(RedisOptions::default())) else { return };
    let (lazaret, _) = (binary::lazaret(false), binary::worker(false));
    let place = tempfile::tempdir().unwrap();
    let directory = place.path();
    std::fs::create_dir(directory.join("tmp")).unwrap();
    let (queue, cache) = (broker.url(), redis.url(None));
    let run = |arguments: &[&str]| {
        let output = demo(&lazaret, directory, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{said}");
        assert_eq!(std::fs::read_dir(directory.join("tmp")).unwrap().count(), 0, "something is left");
        (String::from_utf8(output.stdout).unwrap(), figures(directory))
    };
    let (_, alone) = run(&[]);
    let farm = ["--farm", "--queue", &queue, "--cache", &cache];
    let (text, together) = run(&farm);
    assert_eq!(together, alone);
    assert!(text.contains("a farm of 2 workers"), "{text}");
    // What the cache remembers is not pulled again, though the store is a new one.
    let (text, again) = run(&farm);
    assert_eq!(again["first"]["layer_gets"], 0, "{text}");
    assert_eq!(again["first"]["layers_reused"], alone["first"]["layers_analysed"]);
    assert_eq!(again["second"], alone["second"]);

    // A worker that cannot work ends the demonstration, which says why.
    let output =
        demo(&lazaret, directory, &["--farm", "--queue", &queue, "--cache", "none:", "--store", "file:/proc/none"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(directory.join("tmp")).unwrap().count(), 0, "something is left");
}
