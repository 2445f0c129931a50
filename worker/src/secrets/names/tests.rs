//! Every rule tells of its examples, and not of its counter-examples.

use std::path::PathBuf;

use super::super::nested::File;
use super::super::template::Made;
use super::*;
use crate::ruleset::Ruleset;

#[derive(serde::Deserialize)]
struct Tested {
    rules: Vec<Examples>,
}

#[derive(serde::Deserialize)]
struct Examples {
    id: String,
    examples: Vec<Example>,
    counter_examples: Vec<Example>,
}

#[derive(serde::Deserialize)]
struct Example {
    path: String,
    content: String,
}

fn content(example: &Example) -> Vec<u8> {
    let Some(digits) = example.content.strip_prefix("hex:") else {
        return Made::of(&example.path).text(&example.content).into_bytes();
    };
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

/// What is found and not dismissed in a file.
fn found(path: &str, content: &[u8]) -> Vec<Exposure> {
    let rules = Ruleset::built_in();
    let mut file = File::begin(rules.secrets, rules.malware, &path.into(), content.len() as u64, 0);
    content.chunks(100).for_each(|piece| file.feed(piece));
    file.finish().found.into_iter().filter(|found| found.dismissed.is_none()).collect()
}

#[test]
fn every_rule_tells_of_its_examples_and_not_of_its_counter_examples() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/secrets/names");
    let files = std::fs::read_dir(directory).expect("the rules").map(|entry| entry.expect("an entry").path());
    let mut wrong = Vec::new();
    let mut rules = 0;
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let tested: Tested = toml::from_str(&std::fs::read_to_string(&path).expect("a file")).expect("rules");
        for rule in tested.rules {
            rules += 1;
            let told = |example: &Example| {
                found(&example.path, &content(example)).into_iter().map(|found| found.rule).collect::<Vec<_>>()
            };
            for example in &rule.examples {
                let told = told(example);
                if !told.contains(&rule.id) {
                    wrong.push(format!("{}: not {}: {told:?}", rule.id, example.path));
                }
            }
            for example in &rule.counter_examples {
                if told(example).contains(&rule.id) {
                    wrong.push(format!("{}: {}", rule.id, example.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rules, NAMED.len());
}

#[test]
fn names_are_those_of_the_last_components() {
    for (path, glob, expected) in [
        ("root/.pgpass", ".pgpass", true),
        (".pgpass", ".pgpass", true),
        ("x.pgpass", ".pgpass", false),
        ("a/B.JKS", "*.jks", true),
        ("a.jks/b", "*.jks", false),
        ("h/.docker/config.json", ".docker/config.json", true),
        ("config.json", ".docker/config.json", false),
        ("g/private-keys-v1.d/ABC.key", "private-keys-v1.d/*.key", true),
        ("core.1", "core.*", true),
        ("core", "core.*", false),
        ("aa", "a*a", true),
        ("a", "a*a", false),
    ] {
        assert_eq!(is_called(path.as_bytes(), glob), expected, "{path} {glob}");
    }
}

#[test]
fn a_file_is_told_once_and_by_what_is_in_it() {
    let token = Made::of("npmrc").text("npm_{alnum:30}{crc}");
    let text = format!("//registry.npmjs.org/:_authToken={token}\n_auth=b3BzOmh1bnRlcjI5MQ==\n");
    let found: Vec<_> =
        found("root/.npmrc", text.as_bytes()).into_iter().map(|found| (found.line, found.column, found.rule)).collect();
    assert_eq!(found, [(1, 34, "npm-access-token".to_owned()), (2, 7, "npmrc-login".to_owned())]);
}
