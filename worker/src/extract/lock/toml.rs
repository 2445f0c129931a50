//! TOML read from front to back in place: headings and members as they stand, nothing built (<https://toml.io/en/v1.0.0>).
//!
//! Lockfiles are flat, and only some of their strings matter: a tree of all of a large one takes many times its size.

use std::borrow::Cow;

use super::found::Unreadable;

/// A line that matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// `[name]`, as written between the brackets.
    Table(&'a str),
    /// `[[name]]`, as written between the brackets.
    Element(&'a str),
    /// `key = value`, both as written.
    Member(&'a str, &'a str),
}

/// The events of a document, up to the first thing that is no TOML.
pub(super) fn events(text: &str) -> impl Iterator<Item = Result<Event<'_>, Unreadable>> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = skip_blank(rest?);
        if text.is_empty() {
            return None;
        }
        match event(text) {
            Some((event, after)) => {
                rest = Some(after);
                Some(Ok(event))
            }
            None => {
                rest = None;
                Some(Err(Unreadable::malformed("cut off, or not TOML")))
            }
        }
    })
}

/// An element of an array of tables: the first of each of its members that were asked for.
pub(super) struct Element<'a> {
    members: Vec<(&'static str, &'a str)>,
}

impl<'a> Element<'a> {
    /// The value of a member, as written. In a table of the element it is `table.key`.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.members.iter().find(|(found, _)| *found == name).map(|&(_, value)| value)
    }

    /// The value of a member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.value(name).and_then(string)
    }
}

/// Calls `take` with every element of the array of tables `array`, and `top` with each member before the first heading.
pub(super) fn elements<'a>(
    text: &'a str,
    array: &str,
    wanted: &[&'static str],
    mut top: impl FnMut(&'a str, &'a str),
    mut take: impl FnMut(&Element<'a>),
) -> Result<(), Unreadable> {
    let mut element = None;
    let mut table = "";
    let mut is_top = true;
    for event in events(text) {
        match event? {
            Event::Member(key, value) if is_top => top(key, value),
            Event::Member(key, value) => {
                let Some(Element { members }) = &mut element else { continue };
                let is_it = |name: &str| match name.rsplit_once('.') {
                    Some((of, name)) => of == table && name == key,
                    None => table.is_empty() && name == key,
                };
                if let Some(&name) = wanted.iter().find(|&&name| is_it(name))
                    && !members.iter().any(|(found, _)| *found == name)
                {
                    members.push((name, value));
                }
            }
            Event::Element(name) if name == array => {
                if let Some(element) = element.replace(Element { members: Vec::new() }) {
                    take(&element);
                }
                (table, is_top) = ("", false);
            }
            Event::Element(name) | Event::Table(name) => {
                is_top = false;
                match name.strip_prefix(array).and_then(|rest| rest.strip_prefix('.')) {
                    Some(of) => table = of,
                    None => element.take().iter().for_each(&mut take),
                }
            }
        }
    }
    element.iter().for_each(take);
    Ok(())
}

/// A string; `None` for values of other types, and for escapes that TOML does not have.
pub(super) fn string(value: &str) -> Option<Cow<'_, str>> {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return (!inner.contains('\'')).then_some(Cow::Borrowed(inner));
    }
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    if inner.starts_with('"') {
        return None;
    }
    unescaped(inner)
}

/// The members of an inline table, as written; none of any other value.
pub(super) fn members(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    std::iter::from_fn(move || {
        let text = skip_separators(rest?);
        let (key, after) = key(text)?;
        let end = value_end(after, true)?;
        rest = after.get(end..);
        Some((key, after[..end].trim()))
    })
}

fn event(text: &str) -> Option<(Event<'_>, &str)> {
    if let Some(inner) = text.strip_prefix("[[") {
        let (name, rest) = inner.split_at(value_end_of_heading(inner)?);
        return Some((Event::Element(name.trim()), line_end(rest.strip_prefix("]]")?)?));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (name, rest) = inner.split_at(value_end_of_heading(inner)?);
        return Some((Event::Table(name.trim()), line_end(rest.strip_prefix(']')?)?));
    }
    let (key, after) = key(text)?;
    let end = value_end(after, false)?;
    let value = after[..end].trim();
    (!value.is_empty()).then_some((Event::Member(key, value), &after[end..]))
}

/// Where the name in a heading ends: at the first bracket that is not quoted, on the same line.
fn value_end_of_heading(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b']' => return Some(at),
            b'\n' | b'[' => return None,
            b'"' | b'\'' => at = string_end(bytes, at)?,
            _ => at += 1,
        }
    }
}

/// What follows a line on which nothing but a comment is left.
fn line_end(text: &str) -> Option<&str> {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let line = line.trim();
    (line.is_empty() || line.starts_with('#')).then_some(after)
}

/// A key as written, and what follows its `=`.
fn key(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'=' => break,
            b'"' | b'\'' => at = string_end(bytes, at)?,
            b if b.is_ascii_alphanumeric() || b"_-. \t".contains(b) => at += 1,
            _ => return None,
        }
    }
    let key = text[..at].trim();
    (!key.is_empty()).then_some((key, &text[at + 1..]))
}

/// Where a value ends: before the line end or comment, and inside a collection before the comma too. `None` where a
/// string or a bracket stays open.
fn value_end(text: &str, in_collection: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 && in_collection => return Some(at),
            b'\n' if depth == 0 && !in_collection => return Some(at),
            b'#' if depth == 0 && !in_collection => return Some(at),
            b'#' => at += memchr::memchr(b'\n', &bytes[at..])?,
            _ => {}
        }
        at += 1;
    }
    (depth == 0).then_some(at)
}

/// Past the string that opens at `start`, of any of the four kinds.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let rest = bytes.get(start..)?;
    let quote = *rest.first()?;
    if rest.starts_with(&[quote; 3]) {
        let mut at = 3;
        while !rest.get(at..)?.starts_with(&[quote; 3]) {
            at += if rest.get(at) == Some(&b'\\') && quote == b'"' { 2 } else { 1 };
            if at >= rest.len() {
                return None;
            }
        }
        // Up to two quotes may belong to the text: the last three close it.
        let more = rest[at + 3..].iter().take(2).take_while(|&&b| b == quote).count();
        return Some(start + at + 3 + more);
    }
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'\n' => return None,
            b'\\' if quote == b'"' => at += 2,
            b if *b == quote => return Some(start + at + 1),
            _ => at += 1,
        }
    }
}

fn skip_blank(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if !text.starts_with('#') {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, after)| after);
    }
}

fn skip_separators(mut text: &str) -> &str {
    loop {
        text = skip_blank(text);
        match text.strip_prefix(',') {
            Some(after) => text = after,
            None => return text,
        }
    }
}

fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        let digits = match chars.next()? {
            'u' => 4,
            'U' => 8,
            simple => {
                out.push(match simple {
                    'b' => '\u{8}',
                    't' => '\t',
                    'n' => '\n',
                    'f' => '\u{c}',
                    'r' => '\r',
                    'e' => '\u{1b}',
                    '"' | '\\' => simple,
                    _ => return None,
                });
                rest = chars.as_str();
                continue;
            }
        };
        let code = chars.as_str().get(..digits)?;
        out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = &chars.as_str()[digits..];
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Vec<Event<'_>>, bool) {
        let mut found = Vec::new();
        for event in events(text) {
            match event {
                Ok(event) => found.push(event),
                Err(_) => return (found, false),
            }
        }
        (found, true)
    }

    #[test]
    fn reads_what_toml_allows() {
        let text = "# c\r\na = 1 # x\r\n\"b=]\".'c' = \"\"\"x\n]\\\"\"\"\"\"\n[t] # c\nd = [ # ,]\n  { e = \"f,\" },\n]\n[[ u.\"v]\" ]]\ng = '''\n'''";
        let (found, whole) = all(text);
        assert!(whole);
        assert_eq!(
            found,
            [
                Event::Member("a", "1"),
                Event::Member("\"b=]\".'c'", "\"\"\"x\n]\\\"\"\"\"\""),
                Event::Table("t"),
                Event::Member("d", "[ # ,]\n  { e = \"f,\" },\n]"),
                Event::Element("u.\"v]\""),
                Event::Member("g", "'''\n'''"),
            ]
        );
        assert_eq!(members("{ e = \"f,\", g.h = [1, 2] }").collect::<Vec<_>>(), [("e", "\"f,\""), ("g.h", "[1, 2]")]);
        assert_eq!(string(r#""a\u00e9\"""#).as_deref(), Some("aé\""));
        assert_eq!(string("'a\\n'").as_deref(), Some("a\\n"));
        for no in ["1", "\"", "'", "\"\"\"a\"\"\"", r#""\q""#, r#""\u12""#, r#""\ud800""#, ""] {
            assert_eq!(string(no), None, "{no}");
        }
    }

    #[test]
    fn stops_at_what_is_no_toml() {
        for text in
            ["a", "a =", "= 1", "[a", "[a\n]", "[[a]", "a = [1", "a = \"x\n\"", "a = ]", "a = '''", "[a] b", "{}"]
        {
            assert!(!all(text).1, "{text}");
        }
        let deep = format!("a = {}", "[{a=".repeat(1 << 20));
        assert!(!all(&deep).1);
        let balanced = format!("a = {}{}\nb = 1", "[".repeat(1 << 20), "]".repeat(1 << 20));
        assert_eq!(all(&balanced).0.len(), 2);
    }
}
