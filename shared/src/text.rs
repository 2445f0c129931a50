//! Text from an image, made safe to show.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that a terminal, a log or a reader's eye could be fooled by written as a visible escape:
/// C0 and C1 controls, DEL, bidirectional overrides and isolates, zero-width characters and line separators.
///
/// Everything from an image that a person sees goes through here; JSON has its own escapes and does not need it.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_deceptive(c) => safe.push(c),
            c if (c as u32) < 0x100 => {
                let _ = write!(safe, "\\x{:02x}", c as u32);
            }
            c => {
                let _ = write!(safe, "\\u{{{:x}}}", c as u32);
            }
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal or a reader's eye could be fooled by `c`; see [`visible`].
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `bytes` as text: valid UTF-8 stays as it is, any other byte becomes `\xNN`, so that two different byte strings of a
/// file system never read the same (a lone backslash is doubled only where that would be ambiguous).
pub fn from_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace("\\x", "\\\\x"));
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_deceives_and_nothing_else() {
        assert_eq!(visible("plain ünïcode 日本"), "plain ünïcode 日本");
        assert_eq!(visible("a\x1b[31mb\u{202e}c\u{9b}d\n"), "a\\x1b[31mb\\u{202e}c\\x9bd\\x0a");
    }

    #[test]
    fn bytes_stay_distinct() {
        assert_eq!(from_bytes(b"caf\xe9"), "caf\\xe9");
        assert_ne!(from_bytes(b"\\xe9\xff"), from_bytes(b"\xe9\xff"));
    }
}
