//! Ruby's string literals, read as the language defines them and only where nothing has to be computed.

/// The string that all of `text` is: `"…"`, `'…'` or `%q{…}`, perhaps frozen.
/// <https://docs.ruby-lang.org/en/master/syntax/literals_rdoc.html#label-String+Literals>
pub(super) fn string(text: &[u8]) -> Option<String> {
    let (string, rest) = take(text)?;
    rest.trim_ascii().is_empty().then_some(string)
}

/// The strings of the list `["…", …]` that all of `text` is, the first `most` of them.
pub(super) fn list(text: &[u8], most: usize) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix(b"[")?.trim_ascii_start();
    let mut strings = Vec::new();
    while !rest.starts_with(b"]") {
        let (string, after) = take(rest)?;
        if strings.len() < most {
            strings.push(string);
        }
        rest = after.trim_ascii_start();
        rest = match rest.strip_prefix(b",") {
            Some(after) => after.trim_ascii_start(),
            None if rest.starts_with(b"]") => rest,
            None => return None,
        };
    }
    matches!(rest.trim_ascii(), b"]" | b"].freeze").then_some(strings)
}

/// The literal that `text` begins with, and what follows it.
fn take(text: &[u8]) -> Option<(String, &[u8])> {
    let (string, rest) = if let Some(body) = text.strip_prefix(b"\"") {
        double_quoted(body)?
    } else if let Some(body) = text.strip_prefix(b"'") {
        single_quoted(body, b'\'')?
    } else {
        // RubyGems before 2.0 wrote these.
        single_quoted(text.strip_prefix(b"%q{")?, b'}')?
    };
    Some((String::from_utf8(string).ok()?, rest.strip_prefix(b".freeze").unwrap_or(rest)))
}

/// A backslash stands for itself, but before the end or another. Braces in braces would nest, so there may be none.
fn single_quoted(body: &[u8], end: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut string = Vec::new();
    let mut bytes = body.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            byte if byte == end => return Some((string, body.get(at + 1..)?)),
            b'{' if end == b'}' => return None,
            b'\\' if body.get(at + 1).is_some_and(|&next| next == end || next == b'\\') => {
                string.push(*bytes.next()?.1);
            }
            byte => string.push(byte),
        }
    }
    None
}

fn double_quoted(body: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut string = Vec::new();
    let mut rest = body;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = match byte {
            b'"' => return Some((string, after)),
            // `#{`, `#$` and `#@` are computed.
            b'#' if matches!(after.first(), Some(b'{' | b'$' | b'@')) => return None,
            b'\\' => escape(after, &mut string)?,
            byte => {
                string.push(byte);
                after
            }
        };
    }
}

/// What follows a backslash, of that which `String#dump` writes.
fn escape<'a>(text: &'a [u8], string: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&byte, rest) = text.split_first()?;
    let plain = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'e' => 0x1b,
        b'a' => 7,
        b'b' => 8,
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'"' | b'\\' | b'#' => byte,
        b'x' => {
            let digits = rest.get(..2)?;
            string.push(u8::try_from(hexadecimal(digits)?).ok()?);
            return rest.get(2..);
        }
        b'u' => {
            let (digits, rest) = match rest.strip_prefix(b"{") {
                Some(body) => {
                    let end = body.iter().take(8).position(|&b| b == b'}')?;
                    (body.get(..end)?, body.get(end + 1..)?)
                }
                None => rest.split_at_checked(4)?,
            };
            let character = char::from_u32(hexadecimal(digits)?)?;
            string.extend(character.encode_utf8(&mut [0; 4]).bytes());
            return Some(rest);
        }
        _ => return None,
    };
    string.push(plain);
    Some(rest)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let is_plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    is_plain.then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ruby_dumps() {
        for (text, expected) in [
            (r#""rake""#, Some("rake")),
            (r#""rake".freeze"#, Some("rake")),
            (r#"'a\'b\\c\n'"#, Some(r"a'b\c\n")),
            ("%q{rake}", Some("rake")),
            (r#""a\"b\\c\n\#{d}\u00e9\u{1F48E}\x41""#, Some("a\"b\\c\n#{d}é💎A")),
            (r#""a # b #""#, Some("a # b #")),
            (r#""\xC3\xA9""#, Some("é")),
            (r#""\xC3""#, None),
            (r##""a#{b}""##, None),
            (r##""a#@b""##, None),
            (r#""a" + "b""#, None),
            (r#""a"#, None),
            (r#""a\"#, None),
            (r#""\u{110000}""#, None),
            (r#""\u{}""#, None),
            (r#""\u+123""#, None),
            ("%q{a{b}c}", None),
            ("Rake::VERSION", None),
            ("", None),
        ] {
            assert_eq!(string(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn reads_lists() {
        let read = |text: &str| list(text.as_bytes(), 2);
        assert_eq!(read(r#"["MIT".freeze]"#), Some(vec!["MIT".to_owned()]));
        assert_eq!(read(r#"[ 'a', "b" , "c" ]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read("[]"), Some(vec![]));
        for text in ["", "[", r#"["a""#, r#"["a" "b"]"#, "[a]", r#"["a"] + b"#, "MIT"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
