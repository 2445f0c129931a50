//! Rules that a user adds to the built-in ones, known by the hash of their texts. On a farm they are an object of the store,
//! which tasks name.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::pack;

/// The most bytes that all texts together take, as JSON.
pub const MAX_BYTES: usize = 64 << 20;

/// The texts, as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddedRules {
    /// Rules of secrets, in TOML.
    pub secrets: Vec<RuleSource>,
    /// Rules of malware, in YARA's language.
    pub yara: Vec<RuleSource>,
    /// Lists of hashes of malware.
    pub hashes: Vec<RuleSource>,
}

/// One file of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSource {
    /// What it is called in errors.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Why rules cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Too much of them.
    #[error("added rules take more than {} MiB", MAX_BYTES >> 20)]
    Large,
    /// Not what was written, or by another version.
    #[error("the object of added rules is damaged, or of another version")]
    Damaged,
}

/// Added rules as they are kept and passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesObject {
    digest: String,
    json: Arc<[u8]>,
}

impl RulesObject {
    /// The object of `rules`; none if nothing is added.
    ///
    /// # Errors
    /// [`RulesError::Large`].
    pub fn of(rules: &AddedRules) -> Result<Option<Self>, RulesError> {
        if *rules == AddedRules::default() {
            return Ok(None);
        }
        let json = serde_json::to_vec(rules).map_err(|_| RulesError::Damaged)?;
        Self::new(json).map(Some)
    }

    fn new(json: Vec<u8>) -> Result<Self, RulesError> {
        match json.len() {
            0..=MAX_BYTES => Ok(Self { digest: blake3::hash(&json).to_hex().to_string(), json: json.into() }),
            _ => Err(RulesError::Large),
        }
    }

    /// Reads what [`Self::json`] gave.
    ///
    /// # Errors
    /// [`RulesError`]
    pub fn from_json(json: Vec<u8>) -> Result<Self, RulesError> {
        Self::new(json)
    }

    /// Reads what [`Self::packed`] made, which has to have `digest`.
    ///
    /// # Errors
    /// [`RulesError::Damaged`].
    pub fn unpack(digest: &str, packed: &[u8]) -> Result<Self, RulesError> {
        let json = pack::unpack(packed, MAX_BYTES).map_err(|_| RulesError::Damaged)?;
        Self::new(json).ok().filter(|object| object.digest == digest).ok_or(RulesError::Damaged)
    }

    /// What is kept in the store.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn packed(&self) -> std::io::Result<Vec<u8>> {
        pack::pack(&self.json)
    }

    /// The BLAKE3 of its JSON, 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What is passed on to a child.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The texts.
    ///
    /// # Errors
    /// [`RulesError::Damaged`].
    pub fn rules(&self) -> Result<AddedRules, RulesError> {
        serde_json::from_slice(&self.json).map_err(|_| RulesError::Damaged)
    }
}

/// Whether a text from outside is a digest of rules: then it may be part of a key.
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_what_was_added_or_nothing() {
        assert_eq!(RulesObject::of(&AddedRules::default()), Ok(None));
        let source = RuleSource { name: "a.toml".into(), text: "x = 1\n".into() };
        let rules = AddedRules { secrets: vec![source.clone()], ..AddedRules::default() };
        let object = RulesObject::of(&rules).unwrap().unwrap();
        assert!(is_digest(object.digest()) && object.rules() == Ok(rules));
        let packed = object.packed().unwrap();
        assert_eq!(RulesObject::unpack(object.digest(), &packed).as_ref(), Ok(&object));
        assert_eq!(RulesObject::unpack(&"0".repeat(64), &packed), Err(RulesError::Damaged));
        assert_eq!(RulesObject::unpack(object.digest(), b"x"), Err(RulesError::Damaged));
        let other = RulesObject::of(&AddedRules { yara: vec![source], ..AddedRules::default() }).unwrap().unwrap();
        assert_ne!(other.digest(), object.digest());
        let large = RuleSource { name: String::new(), text: "x".repeat(MAX_BYTES) };
        let large = AddedRules { hashes: vec![large], ..AddedRules::default() };
        assert_eq!(RulesObject::of(&large), Err(RulesError::Large));
        for text in ["", "../x", &"0".repeat(63), &"G".repeat(64)] {
            assert!(!is_digest(text));
        }
    }
}
