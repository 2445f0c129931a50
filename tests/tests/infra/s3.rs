//! What worker and coordinator may do in the bucket: this and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{json, strings};

const BELOW: &str = "arn:aws:s3:::BUCKET/PREFIX/";

/// Each (action, prefix) that a policy allows; listing as ("s3:ListBucket", prefix of the listing).
fn allowed(policy: &Value) -> BTreeSet<(String, String)> {
    let mut allowed = BTreeSet::new();
    assert_eq!(policy["Version"], "2012-10-17");
    for statement in policy["Statement"].as_array().expect("statements") {
        assert_eq!(statement["Effect"], "Allow");
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        assert!(statement.as_object().expect("a statement").keys().all(|key| known.contains(&&**key)), "{statement}");
        for action in strings(&statement["Action"]) {
            for resource in strings(&statement["Resource"]) {
                if action == "s3:ListBucket" {
                    assert_eq!(resource, "arn:aws:s3:::BUCKET");
                    for prefix in strings(&statement["Condition"]["StringLike"]["s3:prefix"]) {
                        let prefix = prefix.strip_prefix("PREFIX/").expect("below the prefix");
                        allowed.insert((action.to_owned(), prefix.to_owned()));
                    }
                } else {
                    let prefix = resource.strip_prefix(BELOW).unwrap_or_else(|| panic!("{resource}"));
                    allowed.insert((action.to_owned(), prefix.to_owned()));
                }
            }
        }
    }
    allowed
}

fn expected(pairs: &[(&str, &[&str])]) -> BTreeSet<(String, String)> {
    let mut expected = BTreeSet::new();
    for (action, prefixes) in pairs {
        expected.extend(prefixes.iter().map(|prefix| (format!("s3:{action}"), (*prefix).to_owned())));
    }
    expected
}

#[test]
fn the_worker_may_use_layers_and_read_rules() {
    let wanted = expected(&[
        ("GetObject", &["layers/*", "rules/*"]),
        ("PutObject", &["layers/*"]),
        ("ListBucket", &["layers/*"]),
    ]);
    assert_eq!(allowed(&json("s3/worker-policy.json")), wanted);
}

#[test]
fn the_coordinator_may_use_all_and_delete_little() {
    const ALL: &[&str] =
        &["layers/*", "images/*", "reports/*", "latest/*", "exposed/*", "jobs/*", "advisories/*", "rules/*", "probe/*"];
    let wanted = expected(&[
        ("GetObject", ALL),
        ("PutObject", ALL),
        ("ListBucket", &["*"]),
        ("DeleteObject", &["probe/*", "jobs/*"]),
    ]);
    assert_eq!(allowed(&json("s3/coordinator-policy.json")), wanted);
}
