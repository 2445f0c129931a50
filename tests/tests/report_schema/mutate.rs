//! Every object of a JSON document, found and named, so that each can be changed.

use serde_json::{Map, Value};

/// The fields that may be absent, by the kind of object: `skip_serializing_if` in `report.rs`.
pub const OPTIONAL: &[(&str, &str)] = &[
    ("distro", "support_end"),
    ("layers", "error"),
    ("packages", "owner"),
    ("packages", "source"),
    ("packages", "licence"),
    ("packages", "module"),
    ("packages", "registry"),
    ("packages", "cpe"),
    ("", "declared"),
    ("", "dismissed"),
    ("reports", "dismissed"),
    ("exposures", "until"),
    ("dismissed", "until"),
    ("exposures", "fingerprint"),
    ("dismissed", "fingerprint"),
    ("dismissed", "dismissed"),
    ("reports", "declared"),
    ("declared", "owner"),
    ("declared", "source"),
    ("declared", "licence"),
    ("declared", "module"),
    ("declared", "registry"),
    ("declared", "cpe"),
    ("findings", "declared"),
    ("coverage", "declared_too"),
    ("findings", "covers"),
    ("findings", "malicious"),
    ("findings", "summary"),
    ("suppressed", "summary"),
    ("suppressed", "expires"),
    ("severity", "score"),
    ("severity", "vector"),
    ("severity", "from"),
    ("ecosystems", "owned"),
    ("ecosystems", "declared"),
];

/// The JSON pointers of all objects.
pub fn objects(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, String::new(), &mut found);
    found
}

fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(field, format!("{pointer}/{name}"), found);
            }
            found.push(pointer);
        }
        Value::Array(rows) => {
            for (index, row) in rows.iter().enumerate() {
                collect(row, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// What the object at `pointer` is: the name of its field, or of its list.
pub fn kind(pointer: &str) -> String {
    let named = |part: &&str| part.parse::<usize>().is_err();
    pointer.split('/').rfind(named).unwrap_or_default().to_owned()
}

/// The object at `pointer`.
pub fn object<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    document.pointer_mut(pointer).unwrap().as_object_mut().unwrap()
}
