//! What of a secret is shown: enough for its owner to know which it is, and not enough for anybody else.

/// The first two and the last two characters of a value of at least twelve bytes, nothing of a shorter one, and nothing about its
/// length.
pub(super) fn masked(value: &[u8]) -> String {
    const HIDDEN: &str = "****";
    let (Some(first), Some(last)) = (value.first_chunk::<2>(), value.last_chunk::<2>()) else { return HIDDEN.into() };
    if value.len() < 12 {
        return HIDDEN.into();
    }
    let shown = |bytes: &[u8; 2]| bytes.map(|b| if b.is_ascii_graphic() { char::from(b) } else { '?' });
    let [a, b] = shown(first);
    let [y, z] = shown(last);
    format!("{a}{b}{HIDDEN}{y}{z}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_four_characters_are_shown() {
        assert_eq!(masked(b"ghp_0123456789"), "gh****89");
        assert_eq!(masked(b"hunter2"), "****");
        assert_eq!(masked(b""), "****");
        assert_eq!(masked(b"\x1b[31mevil value\x07"), "?[****e?");
    }
}
