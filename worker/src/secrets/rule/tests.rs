//! Every rule finds its examples, filled in several ways, and not its counter-examples.

use std::path::PathBuf;

use super::super::check;
use super::super::search::Search;
use super::super::template::Made;
use super::*;

/// What the build leaves out of the rules.
#[derive(serde::Deserialize)]
struct Tested {
    rules: Vec<Examples>,
}

#[derive(serde::Deserialize)]
struct Examples {
    id: String,
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

/// Ways in which each example is filled.
const SEEDS: usize = 4;

fn files() -> Vec<Tested> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/secrets/rules");
    let paths = std::fs::read_dir(directory).expect("the rules").map(|entry| entry.expect("an entry").path());
    let tested = paths.map(|path| {
        let text = std::fs::read_to_string(&path).expect("a file");
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    tested.collect()
}

/// The rules that find something in `text`, leaving out what is told to be none.
fn finding(search: &mut Search, text: &str) -> Vec<(String, Option<&'static str>)> {
    let (found, cut) = search.run(Rules::built_in(), text.as_bytes(), true);
    assert!(!cut, "{text}");
    found.into_iter().map(|found| (found.rule.id.to_string(), found.dismissed)).collect()
}

#[test]
fn every_rule_finds_its_examples_and_not_its_counter_examples() {
    let mut search = Search::default();
    let mut wrong = Vec::new();
    let (mut examples, mut misses) = (0, 0);
    for file in files() {
        for rule in file.rules {
            for (number, template) in rule.examples.iter().enumerate() {
                let mut missed = Vec::new();
                for seed in 0..SEEDS {
                    let text = Made::of(&format!("{} {number} {seed}", rule.id)).text(template);
                    let found = finding(&mut search, &text);
                    if !found.contains(&(rule.id.clone(), None)) {
                        missed.push(format!("{}: not in {text:?}: {found:?}", rule.id));
                    }
                }
                examples += SEEDS;
                misses += missed.len();
                // By chance a made-up value may lack a digit or entropy.
                if missed.len() > 1 {
                    wrong.extend(missed);
                }
            }
            for template in &rule.counter_examples {
                let text = Made::of(&rule.id).text(template);
                if finding(&mut search, &text).contains(&(rule.id.clone(), None)) {
                    wrong.push(format!("{}: in {text:?}", rule.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {examples}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(examples >= 1000 && misses * 200 < examples, "{misses} of {examples}");
}

#[test]
fn there_are_as_many_rules_as_told_and_each_compiles() {
    let rules = &Rules::built_in().rules;
    assert!(rules.len() >= 250, "{}", rules.len());
    for rule in rules {
        assert!(rule.regex().is_some(), "{}", rule.id);
    }
}

#[test]
fn templates_become_texts() {
    let text = Made::of("x").text("a={digit:3} {{b}} {b64:u:{lower:2}} {uuid}");
    assert!(text.starts_with("a=") && text.contains(" {b} "), "{text}");
    assert_eq!(text, Made::of("x").text("a={digit:3} {{b}} {b64:u:{lower:2}} {uuid}"));
    let token = Made::of("y").text("ghp_{alnum:30}{crc}");
    assert!(check::holds(Check::Crc32Base62, token.as_bytes()), "{token}");
    let jwt = Made::of("z").text("{jwt}");
    assert!(check::holds(Check::Jwt, jwt.as_bytes()), "{jwt}");
}
