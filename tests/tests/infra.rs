//! What is in infra/: each file parses, says what it should and nothing it must not, and broker and cache start with it.

#[path = "infra/broker.rs"]
mod broker;
#[path = "infra/compose.rs"]
mod compose;
#[path = "infra/dashboard.rs"]
mod dashboard;
#[path = "infra/environment.rs"]
mod environment;
#[path = "infra/helm.rs"]
mod helm;
#[path = "infra/images.rs"]
mod images;
#[path = "infra/redis.rs"]
mod redis;
#[path = "infra/s3.rs"]
mod s3;

use std::fs;
use std::path::{Path, PathBuf};

use lazaret_tests::source_tree::root;
use lazaret_tests::support::process::run;
use serde_json::Value;

/// Where `path` of infra/ is.
fn at(path: &str) -> PathBuf {
    root().join("infra").join(path)
}

/// The text of `path` of infra/.
fn text(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("infra/{path}: {error}"))
}

/// A document of infra/, JSON.
fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("infra/{path}: {error}"))
}

/// A document of infra/, YAML.
fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("infra/{path}: {error}"))
}

/// The strings of a list.
fn strings(list: &Value) -> Vec<&str> {
    match list {
        Value::Array(items) => items.iter().map(|item| item.as_str().expect("a string")).collect(),
        Value::String(one) => vec![one],
        other => panic!("no list: {other}"),
    }
}

/// Runs infra/secrets for a directory of the test's own.
fn secrets(directory: &Path) {
    run(std::process::Command::new(at("secrets")).arg(directory));
}

#[test]
fn no_file_holds_a_password() {
    let mut files = Vec::new();
    let mut directories = vec![at("")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true if path.ends_with("secrets.d") => {}
                true => directories.push(path),
                false => files.push(path),
            }
        }
    }
    assert!(files.len() > 20, "infra/ moved");
    for path in files {
        let text = fs::read_to_string(&path).expect("UTF-8");
        for line in text.lines() {
            // What stands before the host in a URL: no password but an ellipsis or what the script puts in.
            for rest in line.split("://").skip(1) {
                let user = rest.split_once('@').map(|(user, _)| user).filter(|user| !user.contains(['/', ' ']));
                let password = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
                let harmless = password.is_none_or(|password| password == "…" || password.contains('$'));
                assert!(harmless, "{}: {line}", path.display());
            }
            let long = line.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| word.len() >= 32);
            assert_eq!(long, None, "{}: looks like a secret: {line}", path.display());
        }
    }
}
