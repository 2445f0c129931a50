//! Licences as package metadata declares them: trimmed, on one line, and short enough to keep.

/// The longest licence that is kept, in bytes: longer than any SPDX expression in earnest, shorter than a licence text.
const MAX_BYTES: usize = 256;

/// `text` as a licence worth keeping: its first line, trimmed, cut at [`MAX_BYTES`]; nothing where the field is empty
/// or says that nobody filled it in.
pub(crate) fn declared(text: &str) -> Option<String> {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let line = &line[..line.floor_char_boundary(MAX_BYTES)];
    (!line.is_empty() && !line.eq_ignore_ascii_case("unknown")).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_one_short_line() {
        assert_eq!(declared(" MIT \r\n\r\nPermission is hereby").as_deref(), Some("MIT"));
        assert_eq!(declared("UNKNOWN"), None);
        assert_eq!(declared("\n \n"), None);
        let long = declared(&"ü".repeat(1000)).unwrap();
        assert_eq!(long.len(), MAX_BYTES);
    }
}
