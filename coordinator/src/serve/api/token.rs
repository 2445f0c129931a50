//! A token: a random text that its holder shows; the service keeps its hash alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lazaret::door::source::registry::Secret;
use serde::{Deserialize, Serialize};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Submit images, and cancel what the same token submitted.
    Scan,
    /// Read jobs, reports, inventories and metrics.
    Read,
    /// Both, and cancel anybody's jobs.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Scan, Self::Read, Self::Admin];

    /// The word in a tokens file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// Tells a token of ours from other secrets, for whoever looks for leaked ones.
const PREFIX: &str = "lzr_";

/// A new token: 256 random bits.
///
/// # Errors
/// The system has no random numbers.
pub fn generate() -> Result<Secret, NoRandomness> {
    let mut bits = [0; 32];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut bits).map_err(|_| NoRandomness)?;
    Ok(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits))))
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system has no random numbers")]
pub struct NoRandomness;

/// What the service keeps of a token. Its bits are random, so that a fast hash is as good as a slow one; comparing two
/// hashes takes the same time wherever they differ.
pub fn hash(token: &str) -> blake3::Hash {
    blake3::hash(token.as_bytes())
}

/// What a tokens file says of one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'e> {
    /// Its name, [`is_name`].
    pub name: &'e str,
    /// Its hash.
    pub hash: blake3::Hash,
    /// What it may do.
    pub scopes: &'e [Scope],
    /// Until when: RFC 3339, or a day that is its last.
    pub expires: Option<&'e str>,
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<String> = self.scopes.iter().map(|scope| format!("\"{}\"", scope.name())).collect();
        writeln!(f, "[[token]]\nname = \"{}\"\nhash = \"{}\"", self.name, self.hash.to_hex())?;
        writeln!(f, "scopes = [{}]", scopes.join(", "))?;
        self.expires.iter().try_for_each(|expires| writeln!(f, "expires = \"{expires}\""))
    }
}

/// Whether `name` can name a token: it is shown in tables and logs.
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_random_and_fit_into_a_header() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), PREFIX.len() + 43);
        let odd = one.expose().bytes().find(|&b| !b.is_ascii_alphanumeric() && b != b'-' && b != b'_');
        assert_eq!(odd, None);
        assert!(!format!("{one:?}").contains(one.expose()));
    }
}
