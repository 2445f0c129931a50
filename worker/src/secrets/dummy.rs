//! Values that look like secrets and are known to be none: placeholders, and what vendors and libraries publish for examples.

/// Why `value` is no secret to worry about, if it is known to be none. What has no form of its own (`loose`) is taken for a
/// placeholder sooner.
pub(super) fn reason(value: &[u8], loose: bool) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let has = |word: &&str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    if WORDS.iter().any(|word| has(word)) || loose && LOOSE_WORDS.iter().any(|word| has(word)) {
        return Some("a placeholder: it says so itself");
    }
    // Base64 of zeros is a run too, so a run counts by its share.
    if longest_run(&lower) >= (lower.len() / 3).max(6) || distinct(&lower) <= 3 && lower.len() >= 8 {
        return Some("a placeholder: the same characters over and over");
    }
    if has_sequence(&lower) {
        return Some("a placeholder: letters or digits in their order");
    }
    if loose
        && (value.first() == Some(&b'$')
            || [&b"{{"[..], b"${", b"$(", b"<%", b"%("].iter().any(|open| value.starts_with(open)))
    {
        return Some("a placeholder: a variable");
    }
    None
}

const WORDS: [&str; 14] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replaceme",
    "replace_me",
    "your_",
    "your-",
    "yourtoken",
    "insert",
    "redacted",
    "dummy",
    "sample",
];

const LOOSE_WORDS: [&str; 12] =
    ["password", "passwd", "secret", "token", "null", "none", "undefined", "true", "false", "test", "foobar", "****"];

/// The length of the longest run of one byte.
fn longest_run(value: &[u8]) -> usize {
    value.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0)
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    seen.iter().filter(|&&seen| seen).count()
}

/// Whether ten digits or letters follow each other in the order of the alphabet: by chance that is one in 10^14.
fn has_sequence(value: &[u8]) -> bool {
    let next = |a: &u8, b: &u8| a.is_ascii_alphanumeric() && (*b == a + 1 || (*a == b'9' && matches!(b, b'0' | b'a')));
    value.chunk_by(next).any(|run| run.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_and_values_are_not() {
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_xxxxxxxxxxxxxxxxxxxx",
            "sk_live_0123456789abcdef",
            "your_api_key",
            "ababababab",
        ] {
            assert!(reason(value.as_bytes(), false).is_some(), "{value}");
        }
        for value in ["tR8#kLm2!vXq9Z", "Kx9vQm27TfWzLp", "aa11bb22cc33"] {
            assert_eq!(reason(value.as_bytes(), true), None, "{value}");
        }
        assert!(reason(b"${DB_PASSWORD}", true).is_some() && reason(b"s3cret-password", true).is_some());
        assert!(reason(b"s3cret-password", false).is_none());
    }
}
