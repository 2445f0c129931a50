//! What a cached inventory depends on besides the layer's bytes: extractors, limits, wire version.

use std::fmt;

/// A BLAKE3 hash over everything that decides what an inventory holds. Two builds with one fingerprint produce the same
/// inventory from the same layer; any change makes it another, and the old inventories are simply not found any more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a sequence of parts, each a name and what it stands for. The order matters.
    pub fn of<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("lazaret 2026 inventory fingerprint");
        for (name, value) in parts {
            for text in [name, value] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Fingerprint {
    /// The first 32 hexadecimal digits: 128 bits are enough to tell builds apart, and keys stay short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::digest::hex(&self.0[..16]))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
