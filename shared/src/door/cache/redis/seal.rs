//! What stands around a value in Redis, so that only what this farm put under this very key is ever taken.
//!
//! `"LZRC" | version | MAC | value`. The MAC is keyed BLAKE3 over the version, the length of the full key, the full key and
//! the value: garbage, a value of another key, of another installation or of another format is a miss.

use std::io::{self, Write};

use super::super::CacheError;
use crate::door::source::registry::Secret;

const MAGIC: &[u8; 4] = b"LZRC";
const VERSION: u8 = 1;
const MAC: usize = blake3::OUT_LEN;
/// How many bytes a seal adds to a value.
pub const OVERHEAD: usize = MAGIC.len() + 1 + MAC;
/// The context of every key, so that the same secret used elsewhere makes another one.
const CONTEXT: &str = "lazaret 2026-11 cache value";
/// Shorter secrets are guessed.
const SHORTEST: usize = 16;

/// Seals and opens values.
pub struct Sealer([u8; blake3::KEY_LEN]);

impl Sealer {
    /// Seals with `secret`, or, without one, with a key that everybody knows.
    ///
    /// # Errors
    /// The secret is too short to be one.
    pub fn new(secret: Option<&Secret>) -> Result<Self, CacheError> {
        let secret = secret.map_or("", Secret::expose);
        if !secret.is_empty() && secret.len() < SHORTEST {
            return Err(CacheError::Settings(format!("the key of the cache needs {SHORTEST} characters or more")));
        }
        Ok(Self(blake3::derive_key(CONTEXT, secret.as_bytes())))
    }

    /// Writes `value` as it is kept under `prefix` and `key`.
    pub fn write(&self, out: &mut impl Write, prefix: &str, key: &str, value: &[u8]) -> io::Result<()> {
        out.write_all(MAGIC)?;
        out.write_all(&[VERSION])?;
        out.write_all(self.mac(prefix, key, value).as_bytes())?;
        out.write_all(value)
    }

    /// The value in `sealed`, if it was sealed with our key for this key. Reuses the memory of `sealed`.
    pub fn open(&self, prefix: &str, key: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let rest = sealed.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
        let (mac, value) = rest.split_first_chunk::<MAC>()?;
        // The comparison of blake3 hashes takes the same time wherever they differ.
        if self.mac(prefix, key, value) != *mac {
            return None;
        }
        sealed.drain(..OVERHEAD);
        Some(sealed)
    }

    fn mac(&self, prefix: &str, key: &str, value: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[VERSION]);
        hasher.update(&((prefix.len() + key.len()) as u64).to_le_bytes());
        hasher.update(prefix.as_bytes()).update(key.as_bytes()).update(value);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(sealer: &Sealer, key: &str, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        sealer.write(&mut out, "p:", key, value).unwrap();
        out
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let ours = Sealer::new(Some(&Secret::new("0123456789abcdef"))).unwrap();
        let good = sealed(&ours, "key", b"value");
        assert_eq!(good.len(), OVERHEAD + 5);
        assert_eq!(ours.open("p:", "key", good.clone()).as_deref(), Some(&b"value"[..]));
        assert_eq!(ours.open("p:", "kez", good.clone()), None, "another key");
        assert_eq!(ours.open("q:", "key", good.clone()), None, "another prefix");
        assert_eq!(Sealer::new(None).unwrap().open("p:", "key", good.clone()), None, "no secret");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(ours.open("p:", "key", bad), None, "a bit of byte {at}");
            assert_eq!(ours.open("p:", "key", good[..at].to_vec()), None, "cut to {at}");
        }
        let longer = [&good[..], b"x"].concat();
        assert_eq!(ours.open("p:", "key", longer), None);
        // Moving a byte from the key to the value changes the MAC, because the key's length is under it.
        assert_ne!(ours.mac("p:", "ke", b"yvalue"), ours.mac("p:", "key", b"value"));
    }

    #[test]
    fn takes_no_short_secret() {
        assert!(Sealer::new(Some(&Secret::new("0123456789abcde"))).is_err());
        assert!(Sealer::new(Some(&Secret::new(""))).is_ok(), "an empty setting is none");
    }
}
