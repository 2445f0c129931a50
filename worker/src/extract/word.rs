//! What is believed as a name or a version: one bound for every format that has none of its own.

use lazaret::text::is_deceptive;

/// The longest name or version that is believed, in bytes.
const MAX_BYTES: usize = 256;

/// Whether `text` may be a name or a version: something, not long, with no blanks and nothing that cannot be seen.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_BYTES && !text.chars().any(|c| c.is_whitespace() || is_deceptive(c))
}

/// `bytes` as a name or a version.
pub(super) fn word(bytes: &[u8]) -> Option<&str> {
    // What is too long is not looked at: a hostile file may have one long text in many places.
    if bytes.len() > MAX_BYTES {
        return None;
    }
    std::str::from_utf8(bytes).ok().filter(|text| is_word(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_short_and_visible() {
        for good in ["a", "libstdc++6", "1:2.0~rc1-3", "日本"] {
            assert!(is_word(good), "{good}");
        }
        for bad in ["", "a b", "a\tb", "a\0", "a\u{202e}b", &"a".repeat(257)] {
            assert!(!is_word(bad), "{bad}");
        }
        assert_eq!(word(b"\xff"), None);
    }
}
