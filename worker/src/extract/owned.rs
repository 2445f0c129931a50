//! Files that a package owns, as keys to look executables up by.

use std::hash::{DefaultHasher, Hasher};

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
