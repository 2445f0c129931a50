//! An exposure: a secret, malware or a dangerous file that a layer ships. It survives deletion above, because the blob still has it.

use std::fmt;

use bincode::{Decode, Encode};

use crate::path::LayerPath;

/// Something that should not be in an image, and where it is. Never its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Exposure {
    /// The file; what is nested in an archive is written `ARCHIVE!/PATH`.
    pub path: LayerPath,
    /// The line in it, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: u64,
    /// What kind of thing it is.
    pub kind: ExposureKind,
    /// The rule that found it.
    pub rule: String,
    /// What it is, in words for a person.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// What is to be done: where the owner of a secret makes it worthless.
    pub rotate: String,
    /// What of it is shown; of malware the names of what the rule found.
    pub masked: String,
    /// By what it can be told to be the same as another.
    pub identity: Identity,
    /// Why it is none to worry about, where that is known.
    pub dismissed: Option<String>,
}

impl Exposure {
    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        let texts = [&self.rule, &self.title, &self.rotate, &self.masked];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        size_of::<Self>() + self.path.as_bytes().len() + texts + self.dismissed.as_ref().map_or(0, String::len)
    }
}

/// Kinds of exposures; the names are part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExposureKind {
    /// A key, token or password.
    Secret,
    /// A program or text that does harm.
    Malware,
}

/// How bad an exposure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Public by design, or of use with another secret only.
    Low,
    /// Limited, or read only.
    Medium,
    /// The usual key of an interface.
    High,
    /// Full or write access, payment, a cloud's root.
    Critical,
}

impl Severity {
    /// `low` to `critical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// By what a secret is told to be the same as another, without its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Identity {
    /// The SHA-256 of its value, as analysis yields it. Whoever has it can try passwords, so it is never kept.
    Digest([u8; 32]),
    /// A BLAKE3 of that digest, keyed with what only the installation has.
    Keyed([u8; 32]),
    /// There was no key to make one with.
    Unknown,
}

/// The key of an installation: equal secrets have equal identities within it, and nobody without it can try values.
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// The key made of what an operator chose, which should be random.
    ///
    /// # Errors
    /// It is shorter than 16 bytes.
    pub fn of(text: &str) -> Result<Self, WeakKey> {
        match text.len() {
            0..16 => Err(WeakKey),
            _ => Ok(Self(blake3::derive_key("lazaret 2026 identity of exposures", text.as_bytes()))),
        }
    }

    /// Which key it is, without telling the key.
    pub fn id(&self) -> String {
        crate::digest::hex(&blake3::keyed_hash(&self.0, b"id").as_bytes()[..8])
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({})", self.id())
    }
}

/// A key that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identity key has 16 characters or more; `openssl rand -hex 32` makes one")]
pub struct WeakKey;

impl Identity {
    /// The fingerprint that reports tell; nothing where there was no key.
    pub fn fingerprint(&self) -> Option<String> {
        match self {
            Self::Keyed(keyed) => Some(crate::digest::hex(&keyed[..16])),
            Self::Digest(_) | Self::Unknown => None,
        }
    }

    /// The identity that may be kept.
    pub fn sealed(&self, key: Option<&IdentityKey>) -> Self {
        match (self, key) {
            (Self::Digest(digest), Some(key)) => Self::Keyed(*blake3::keyed_hash(&key.0, digest).as_bytes()),
            (Self::Digest(_), None) => Self::Unknown,
            (known, _) => known.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_depends_on_the_key_and_never_is_the_digest() {
        let (a, b) = (IdentityKey::of(&"a".repeat(16)).unwrap(), IdentityKey::of(&"b".repeat(16)).unwrap());
        assert!(IdentityKey::of("short").is_err());
        let digest = Identity::Digest([7; 32]);
        assert_eq!(digest.sealed(Some(&a)), digest.sealed(Some(&a)));
        assert_ne!(digest.sealed(Some(&a)), digest.sealed(Some(&b)));
        assert_eq!(digest.sealed(None), Identity::Unknown);
        assert!(!matches!(digest.sealed(Some(&a)), Identity::Keyed(key) if key == [7; 32]));
        let keyed = digest.sealed(Some(&a));
        assert_eq!(keyed.sealed(Some(&b)), keyed);
        assert_ne!(a.id(), b.id());
    }
}
