//! Lines of `Key: value` in paragraphs, as package databases write them: read in place, bounded field by field.

use lazaret::text::from_bytes;

/// The longest value that is kept; no honest name, version or licence comes near it.
pub(super) const MAX_FIELD: usize = 4096;

/// `content` line by line, without line ends.
pub(super) fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(content);
    std::iter::from_fn(move || {
        let content = rest?;
        let (line, after) = match memchr::memchr(b'\n', content) {
            Some(end) => (&content[..end], Some(&content[end + 1..])),
            None if content.is_empty() => return None,
            None => (content, None),
        };
        rest = after.filter(|after| !after.is_empty());
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// `Key: value` with the value trimmed; `None` for continuation lines and anything else.
pub(super) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if line.first().is_none_or(|b| b.is_ascii_whitespace()) {
        return None;
    }
    let colon = memchr::memchr(b':', line)?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

/// A value as text, or nothing if it is empty or longer than any honest one.
pub(super) fn value(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty() && bytes.len() <= MAX_FIELD).then(|| from_bytes(bytes).into_owned())
}
