//! The YAML that package managers write: one key or item to a line, nested by indentation, short collections on the
//! line of their key. Read line by line, nothing built; anchors and tags are never followed.

use std::borrow::Cow;

use super::found::Unreadable;

/// One line. `- a: b` is an item whose indent is that of `a`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Columns before the key or the value.
    pub(super) indent: usize,
    /// Whether it begins an item of a list.
    pub(super) is_item: bool,
    /// The key as it is meant; `None` for a bare value.
    pub(super) key: Option<Cow<'a, str>>,
    /// The value as written, or nothing where it is on the lines that follow.
    pub(super) value: &'a str,
}

impl Line<'_> {
    /// Whether it is this key.
    pub(super) fn is(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key)
    }
}

/// The lines that say something, up to the first that cannot be YAML. The text of block scalars is left out.
pub(super) fn lines<'a>(
    mut lines: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = Result<Line<'a>, Unreadable>> {
    let mut block: Option<usize> = None;
    let mut failed = false;
    std::iter::from_fn(move || {
        while !failed {
            let text = lines.next()?.trim_end();
            let content = text.trim_start_matches(' ');
            let indent = text.len() - content.len();
            if content.is_empty() || block.is_some_and(|above| indent > above) {
                continue;
            }
            block = None;
            // After a long key, `? key`: what it has is on the lines that follow.
            if content == ":" {
                continue;
            }
            if content.starts_with('#') || indent == 0 && (matches!(content, "---" | "...") || content.starts_with('%'))
            {
                continue;
            }
            let Some(line) = line(indent, content) else {
                failed = true;
                return Some(Err(Unreadable::malformed("a line that is not the YAML of a lockfile")));
            };
            if line.value.starts_with(['|', '>']) {
                block = Some(indent);
            }
            return Some(Ok(line));
        }
        None
    })
}

/// A value that is a text; `None` for collections, aliases, tags and nothing.
pub(super) fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' | b'\'' => {
            let (text, rest) = quoted(value)?;
            is_comment(rest).then_some(text)
        }
        b'{' | b'[' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'#' => None,
        _ => Some(Cow::Borrowed(value.split_once(" #").map_or(value, |(text, _)| text).trim_end())),
    }
}

/// The members of a mapping on one line, `{a: b, c: d}`; none of any other value.
pub(super) fn members(value: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut rest = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    std::iter::from_fn(move || {
        let text = rest?.trim_start_matches([',', ' ']);
        let (key, after) = key(text)?;
        let end = flow_end(after)?;
        rest = after.get(end..);
        Some((key, after[..end].trim()))
    })
}

fn line(indent: usize, content: &str) -> Option<Line<'_>> {
    if content.starts_with('\t') {
        return None;
    }
    let (mut rest, mut is_item) = (content, false);
    while let Some(after) = rest.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(' ')) {
        is_item = true;
        rest = after.trim_start_matches(' ');
    }
    // A key too long for one line is written as `? key`, its value after `: ` on the next.
    if let Some(long) = rest.strip_prefix("? ") {
        let key = scalar(long.trim())?;
        return Some(Line { indent: indent + content.len() - rest.len(), is_item, key: Some(key), value: "" });
    }
    if let Some(value) = rest.strip_prefix(": ") {
        rest = value.trim_start_matches(' ');
    }
    let indent = indent + content.len() - rest.len();
    if let Some((key, value)) = key(rest) {
        return Some(Line { indent, is_item, key: Some(key), value: value.trim() });
    }
    if rest.starts_with(['"', '\'']) {
        quoted(rest)?;
    }
    Some(Line { indent, is_item, key: None, value: rest })
}

/// A key and what follows its colon.
fn key(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if text.starts_with(['"', '\'']) {
        let (key, rest) = quoted(text)?;
        let value = rest.strip_prefix(':').filter(|value| value.is_empty() || value.starts_with(' '))?;
        return Some((key, value));
    }
    let bytes = text.as_bytes();
    if matches!(bytes.first()?, b'{' | b'[' | b'&' | b'*' | b'!' | b'|' | b'>' | b'#') {
        return None;
    }
    let end = memchr::memchr_iter(b':', bytes).find(|&at| matches!(bytes.get(at + 1), None | Some(b' ')))?;
    // A colon inside a comment, or the one of a later member of a mapping that is not one.
    let key = &text[..end];
    (!key.contains(" #")).then_some((Cow::Borrowed(key), &text[end + 1..]))
}

/// Where a value in a mapping on one line ends: before a comma, or at the end.
fn flow_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut at_start) = (0, 0_usize, true);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // Quotes inside a plain text are part of it.
            b'"' | b'\'' if at_start => {
                let (_, rest) = quoted(&text[at..])?;
                at = text.len() - rest.len();
                at_start = false;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at_start = matches!(byte, b'{' | b'[' | b',' | b':') || at_start && byte == b' ';
        at += 1;
    }
    (depth == 0).then_some(at)
}

/// A quoted text at the start, and what follows it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = text.as_bytes();
    let quote = *bytes.first()?;
    let mut at = 1;
    let mut is_plain = true;
    loop {
        match *bytes.get(at)? {
            b'\\' if quote == b'"' => {
                is_plain = false;
                at += 2;
            }
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => {
                is_plain = false;
                at += 2;
            }
            byte if byte == quote => break,
            _ => at += 1,
        }
    }
    let (inner, rest) = (text.get(1..at)?, text.get(at + 1..)?);
    let meant = match (is_plain, quote) {
        (true, _) => Cow::Borrowed(inner),
        (false, b'\'') => Cow::Owned(inner.replace("''", "'")),
        // JSON's escapes are the ones that programs write.
        (false, _) => Cow::Owned(serde_json::from_str(text.get(..=at)?).ok()?),
    };
    Some((meant, rest))
}

fn is_comment(rest: &str) -> bool {
    rest.trim().is_empty() || rest.starts_with(' ') && rest.trim_start().starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Vec<Line<'_>>, bool) {
        let mut found = Vec::new();
        for line in lines(text.lines()) {
            match line {
                Ok(line) => found.push(line),
                Err(_) => return (found, false),
            }
        }
        (found, true)
    }

    #[test]
    fn reads_what_package_managers_write() {
        let text = "%YAML 1.2\n---\n# c\na: 1\n'b''c':\n  \"d:\\u00e9\": >-\n    x: y\n\n    z\n  - e (1.0):\n    - f\n  -   g: http://h:1/\n? 'long'\n: i: j\n";
        let (found, whole) = all(text);
        let line = |indent, is_item, key: &str, value| Line {
            indent,
            is_item,
            key: (!key.is_empty()).then(|| Cow::Owned(key.to_owned())),
            value,
        };
        assert!(whole);
        assert_eq!(
            found,
            [
                line(0, false, "a", "1"),
                line(0, false, "b'c", ""),
                line(2, false, "d:é", ">-"),
                line(4, true, "e (1.0)", ""),
                line(6, true, "", "f"),
                line(6, true, "g", "http://h:1/"),
                line(0, false, "long", ""),
                line(2, false, "i", "j"),
            ]
        );
    }

    #[test]
    fn what_a_long_key_has_may_begin_on_the_next_line() {
        let (found, whole) = all("? \"a, b\"\n:\n  version: 1\n  ? c\n  :\n    d: e\n");
        let keys: Vec<_> = found.iter().map(|line| (line.indent, line.key.as_deref().unwrap_or_default())).collect();
        assert!(whole);
        assert_eq!(keys, [(0, "a, b"), (2, "version"), (2, "c"), (4, "d")]);
    }

    #[test]
    fn values_are_read_where_they_are_texts() {
        assert_eq!(scalar("a b # c").as_deref(), Some("a b"));
        assert_eq!(scalar("\"a\\\"\" # c").as_deref(), Some("a\""));
        for no in ["", "{a: b}", "*a", "&a b", "!!str a", "'a", "'a' b", "|"] {
            assert_eq!(scalar(no), None, "{no}");
        }
        let found: Vec<_> = members("{a: b, 'c': \"d, }\", e: {f: g, h: i}, j: it's}").collect();
        let expected = [("a", "b"), ("c", "\"d, }\""), ("e", "{f: g, h: i}"), ("j", "it's")];
        assert_eq!(found, expected.map(|(key, value)| (Cow::Borrowed(key), value)));
    }

    #[test]
    fn stops_at_what_cannot_be_read() {
        for text in ["\ta: b", "'a", "- \"a\\"] {
            assert!(!all(text).1, "{text}");
        }
        assert_eq!(all(&"- ".repeat(1 << 20)).0.len(), 1);
        assert_eq!(members(&"{a: ".repeat(1 << 18)).count(), 0);
    }
}
