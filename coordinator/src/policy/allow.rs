//! Exposures that somebody accepted: by rule, by path, by the value itself, each with a reason.

use globset::{GlobBuilder, GlobMatcher};
use lazaret::exposure::{Exposure, Identity, IdentityKey};
use lazaret::path::LayerPath;
use serde::Deserialize;

use super::PolicyError;

/// One `[[allow]]` of an ignore file. What it says has to hold all together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowText {
    /// The id of the rule.
    pub rule: Option<String>,
    /// A glob for the path: `*` stays within a directory, `**` does not.
    pub path: Option<String>,
    /// The fingerprint that a report tells (32 hexadecimal digits), or the SHA-256 of the value (64).
    pub value: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, `YYYY-MM-DD`; for ever, if absent.
    pub expires: Option<String>,
}

impl AllowText {
    /// What it is called in errors.
    pub(super) fn name(&self) -> String {
        // Of a value nothing is told: somebody may have written the secret itself.
        [&self.rule, &self.path].into_iter().flatten().next().cloned().unwrap_or_else(|| "of a value".into())
    }
}

/// The same, ready.
#[derive(Clone, Debug)]
pub struct Allow {
    rule: Option<String>,
    path: Option<GlobMatcher>,
    value: Option<Value>,
    /// Why, and until when.
    reason: String,
}

#[derive(Clone, Debug)]
enum Value {
    Fingerprint(String),
    Digest([u8; 32]),
}

impl Allow {
    pub(super) fn new(text: AllowText) -> Result<Self, PolicyError> {
        let name = text.name();
        let wrong = |reason: &str| PolicyError::Allow(name.clone(), reason.to_owned());
        if text.rule.is_none() && text.path.is_none() && text.value.is_none() {
            return Err(wrong("write rule, path or value: it would allow everything"));
        }
        let path = text.path.as_deref().map(|path| {
            let glob = GlobBuilder::new(path.trim_start_matches('/')).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|error| wrong(&error.to_string()))
        });
        let value = text.value.as_deref().map(|value| {
            let value = value.trim_start_matches("sha256:").to_ascii_lowercase();
            let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
            match (value.len(), is_hex) {
                (32, true) => Ok(Value::Fingerprint(value)),
                (64, true) => digest(&value).map(Value::Digest).ok_or_else(|| wrong("no SHA-256")),
                _ => Err(wrong(
                    "a value is a report's fingerprint (32 digits) or a SHA-256 (64), never the secret itself",
                )),
            }
        });
        let reason = match &text.expires {
            Some(day) => format!("{} (until {day})", text.reason),
            None => text.reason,
        };
        Ok(Self { rule: text.rule, path: path.transpose()?, value: value.transpose()?, reason })
    }

    /// Why `exposure` is accepted, if it is.
    pub fn reason(&self, exposure: &Exposure, key: Option<&IdentityKey>) -> Option<&str> {
        let rule = self.rule.as_ref().is_none_or(|rule| *rule == exposure.rule);
        let path = self.path.as_ref().is_none_or(|path| path.is_match(of_system(&exposure.path)));
        let value = self.value.as_ref().is_none_or(|value| match value {
            Value::Fingerprint(wanted) => exposure.identity.fingerprint().as_deref() == Some(wanted),
            Value::Digest(digest) => key.is_some() && Identity::Digest(*digest).sealed(key) == exposure.identity,
        });
        (rule && path && value).then_some(&self.reason)
    }

    /// Whether it cannot tell anything without an identity key.
    pub fn needs_key(&self) -> bool {
        self.value.is_some()
    }
}

fn of_system(path: &LayerPath) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
