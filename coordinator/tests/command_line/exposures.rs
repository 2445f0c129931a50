//! Exposures: rules that a user adds, what he allows, and fingerprints that tell equal values.

use lazaret::digest::Digest;
use lazaret_loadtest::layout::{self, Step};
use lazaret_loadtest::tar::Tar;
use serde_json::{Value, json};

use super::place::Place;

const RULES: &str = r#"
vendor = "Example"
[[rules]]
id = "example-token"
title = "token"
severity = "critical"
keywords = ["exmpl_"]
pattern = '\bexmpl_[0-9a-f]{16}\b'
rotate = "the console of Example"
examples = ["key=exmpl_0123456789abcdef"]
"#;

const TOKEN: &str = "exmpl_00aa11bb22cc33dd";

/// An image with the token in two files of two layers and in a label, and a password in the second layer.
fn image(place: &Place) -> String {
    let step =
        |name: &str, content: &str| Step { created_by: "COPY . / # buildkit", tar: Tar::default().file(name, content) };
    let steps = vec![
        step("srv/a.txt", &format!("first\nkey = {TOKEN}\n")),
        step("srv/app.env", &format!("COPY={TOKEN}\nDATABASE_PASSWORD=q8TzW4mLx0Rv\n")),
    ];
    let labels = json!({ "org.example.key": TOKEN });
    layout::write(&place.path("image"), "test", &labels, steps).unwrap();
    format!("oci:{}:test", place.path("image").display())
}

fn rows<'r>(report: &'r Value, list: &str, rule: &str) -> Vec<&'r Value> {
    report[list].as_array().into_iter().flatten().filter(|row| row["rule"] == rule).collect()
}

fn scan(place: &Place, more: &[&str]) -> Value {
    let image = image(place);
    let scan = ["scan", &image, "--scanners", "secret", "--format", "json"];
    let ran = place.run(&[&scan[..], more].concat()).expect(0);
    // Without the rule it is a label like any other.
    assert!(!more.contains(&"--secret-rules") || !ran.stdout.contains(TOKEN), "{}", ran.stdout);
    ran.json()
}

#[test]
fn an_added_rule_finds_the_same_value_everywhere_and_says_that_it_is_the_same() {
    let place = Place::new();
    let rules = place.write("rules.toml", RULES);
    assert_eq!(rows(&scan(&place, &[]), "exposures", "example-token").len(), 0);
    let report = scan(&place, &["--secret-rules", &rules]);
    let found = rows(&report, "exposures", "example-token");
    let places: Vec<_> =
        found.iter().map(|row| (row["path"].as_str().unwrap(), row["line"].as_u64().unwrap())).collect();
    assert_eq!(places, [("config.Labels.org.example.key", 1), ("srv/a.txt", 2), ("srv/app.env", 1)]);
    let fingerprint = found[0]["fingerprint"].as_str().unwrap();
    assert!(found.iter().all(|row| row["fingerprint"] == fingerprint && fingerprint.len() == 32), "{found:?}");
    let again = scan(&place, &["--secret-rules", &rules]);
    assert_eq!(rows(&again, "exposures", "example-token")[0]["fingerprint"], fingerprint, "the key is kept");
    let elsewhere = Place::new();
    let rules = elsewhere.write("rules.toml", RULES);
    let other = scan(&elsewhere, &["--secret-rules", &rules]);
    assert_ne!(rows(&other, "exposures", "example-token")[0]["fingerprint"], fingerprint, "another installation");
    let unkept = scan(&elsewhere, &["--secret-rules", &rules, "--store", "memory:"]);
    assert_eq!(rows(&unkept, "exposures", "example-token")[0].get("fingerprint"), None, "no key, no fingerprint");
}

#[test]
fn what_is_allowed_is_dismissed_with_its_reason() {
    let place = Place::new();
    let rules = place.write("rules.toml", RULES);
    let report = scan(&place, &["--secret-rules", &rules]);
    let fingerprint = rows(&report, "exposures", "example-token")[0]["fingerprint"].as_str().unwrap().to_owned();
    let digest = Digest::of(TOKEN.as_bytes());
    for (what, left) in [
        ("rule = 'example-token'", 0),
        ("path = 'srv/*.txt'", 2),
        ("path = '/srv/**'", 1),
        ("rule = 'example-token'\npath = '*.txt'", 3),
        ("rule = 'another'", 3),
        (&format!("value = '{fingerprint}'"), 0),
        (&format!("value = '{digest}'"), 0),
        (&format!("value = '{}'", "0".repeat(64)), 3),
    ] {
        let text = format!("[[allow]]\n{what}\nreason = 'a test key'\nexpires = '2999-12-31'\n");
        let file = place.write("ignores.toml", &text);
        let report = scan(&place, &["--secret-rules", &rules, "--ignore-file", &file]);
        assert_eq!(rows(&report, "exposures", "example-token").len(), left, "{what}");
        let dismissed = rows(&report, "dismissed", "example-token");
        assert_eq!(dismissed.len(), 3 - left, "{what}");
        assert!(
            dismissed.iter().all(|row| row["dismissed"] == "allowed: a test key (until 2999-12-31)"),
            "{dismissed:?}"
        );
    }
    for (what, said) in [
        ("reason = 'all'", "it would allow everything"),
        (&format!("value = '{TOKEN}'\nreason = 'raw'"), "never the secret itself"),
        ("rule = 'x'\nreason = ''", "gives no reason"),
        ("rule = 'x'\nreason = 'r'\nexpires = '2020-01-01'", "expired on 2020-01-01"),
        ("path = 'a[b'\nreason = 'r'", "a[b"),
    ] {
        let file = place.write("ignores.toml", &format!("[[allow]]\n{what}\n"));
        let ran = place.run(&["scan", "--ignore-file", &file]).expect(2);
        assert!(ran.stderr.contains(said) && !ran.stderr.contains(TOKEN), "{what}: {}", ran.stderr);
    }
}

#[test]
fn generic_rules_have_a_switch_of_their_own() {
    let place = Place::new();
    let generic = |report: &Value, list: &str| {
        report[list]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|row| row["line"] == 2 && row["path"] == "srv/app.env")
            .count()
    };
    let report = scan(&place, &[]);
    assert_eq!((generic(&report, "exposures"), generic(&report, "dismissed")), (1, 0), "{report}");
    let report = scan(&place, &["--no-generic-secrets"]);
    assert_eq!((generic(&report, "exposures"), generic(&report, "dismissed")), (0, 1), "{report}");
}

#[test]
fn wrong_rules_and_keys_are_told() {
    let place = Place::new();
    let rules = place.write("rules.toml", &RULES.replace("{16}", "+"));
    let ran = place.run(&["scan", "--secret-rules", &rules]).expect(2);
    assert!(
        ran.stderr.contains("rules.toml: the rule `example-token`") && ran.stderr.contains("write `{1,200}`"),
        "{ran:?}"
    );
    let ran = place.run(&["scan", "--secret-rules", "missing.toml"]).expect(2);
    assert!(ran.stderr.contains("cannot read missing.toml"), "{ran:?}");
    let ran = place.end(place.lazaret(&["scan"]).env("LAZARET_IDENTITY_KEY", "short").output().unwrap()).expect(2);
    assert!(ran.stderr.contains("16 characters or more") && !ran.stderr.contains("short:"), "{ran:?}");
    let ran = place.run(&["find", "secret:xyz"]).expect(2);
    assert!(ran.stderr.contains("32 hexadecimal digits"), "{ran:?}");
}
