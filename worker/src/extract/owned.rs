//! Files that a package owns, as keys to look executables up by.

use std::hash::{DefaultHasher, Hasher};

use crate::limits::Limits;

/// The key of the file at `path`, relative to the root. A merged `/usr` makes one directory of `bin` and `usr/bin`, and lists
/// name either, whatever the layer's own names are; so both have one key, and so do `sbin` and `lib…`.
pub(crate) fn key(path: &[u8]) -> u64 {
    let merged = path.strip_prefix(b"usr/").filter(|rest| {
        let top = rest.split(|&b| b == b'/').next().unwrap_or_default();
        matches!(top, b"bin" | b"sbin") || top.starts_with(b"lib") && top != b"libexec"
    });
    let mut hasher = DefaultHasher::new();
    hasher.write(merged.unwrap_or(path));
    hasher.finish()
}

/// What the paths of one list may cost that names directories and the files in them apart: a few bytes can name a long
/// directory again and again.
pub(crate) struct Budget(u64);

impl Budget {
    /// That of a list of so many bytes. Real ones spend ten bytes on a file and more; a path has some hundred.
    pub(crate) fn of(list: &[u8]) -> Self {
        const SLACK: u64 = 1 << 20;
        Self(SLACK + 16 * list.len() as u64)
    }

    /// Whether a path of so many bytes may be looked at: one that Linux allows, while there is something left.
    pub(crate) fn takes(&mut self, path_bytes: usize) -> bool {
        self.0 = self.0.saturating_sub(path_bytes as u64);
        path_bytes <= Limits::PATH_BYTES && self.0 > 0
    }

    /// Whether paths were turned away because others had used it up.
    pub(crate) fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merged_usr_makes_no_difference() {
        for (one, other) in [("bin/ls", "usr/bin/ls"), ("usr/lib64/x.so", "lib64/x.so"), ("sbin/a", "usr/sbin/a")] {
            assert_eq!(key(one.as_bytes()), key(other.as_bytes()), "{one}");
        }
        for (one, other) in [("bin/ls", "sbin/ls"), ("usr/libexec/x", "libexec/x"), ("usr/local/bin/x", "local/bin/x")]
        {
            assert_ne!(key(one.as_bytes()), key(other.as_bytes()), "{one}");
        }
    }
}
