//! Settings of which name and value stand apart, as `name: DB_PASSWORD` above `value: …` in a manifest of Kubernetes, in a task
//! definition's JSON, or in attributes of XML: the text around is searched once more as it reads with one behind the other.

use std::ops::Range;

use super::plain::{self, Plain};

/// What introduces a value.
pub(super) const KEYWORDS: [&[u8]; 4] = [b"value:", b"value\"", b"value=", b"value'"];

/// Bytes that may part a name and its value, blank space most of them.
const MAX_GAP: usize = 120;
/// Bytes of a name.
const MAX_NAME: usize = 100;

/// What parts the name of a setting from its value, where a keyword stands at `at`: it ends before what separates them.
pub(super) fn between(text: &[u8], at: usize) -> Option<Range<usize>> {
    let keyword = text.get(at..at.checked_add(KEYWORDS[0].len())?)?;
    let mut before = text.get(at.saturating_sub(MAX_GAP + MAX_NAME)..at)?;
    let far = at - before.len();
    let mut end = at + keyword.len();
    match keyword.last()? {
        quote @ (b'"' | b'\'') => before = before.strip_suffix(&[*quote])?,
        _ => end -= 1,
    }
    let gap = before.iter().rev().take(MAX_GAP).take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
    let before = before.get(..before.len() - gap).filter(|_| gap > 0)?;
    let start = far + before.len();
    // The name, in quotes or not, and what says that it is one.
    let name = without_quote(before);
    let size = name.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte)).count();
    let before = name.get(..name.len() - size).filter(|_| size > 0)?;
    let before = without_quote(before).trim_ascii_end();
    let before = before.strip_suffix(b":").or(before.strip_suffix(b"="))?.trim_ascii_end();
    let before = without_quote(before);
    let says =
        |word: &[u8]| before.len() >= word.len() && before[before.len() - word.len()..].eq_ignore_ascii_case(word);
    (says(b"name") || says(b"key")).then_some(start..end)
}

/// The parts of `text` around what parts names from values, which is in order.
pub(super) fn parts<'t>(text: &'t [u8], between: &'t [Range<usize>]) -> impl Iterator<Item = Plain> + 't {
    plain::parts(
        text,
        between,
        |between| between.start,
        |part, bytes, all| {
            let (mut text, mut places, mut at) = (Vec::with_capacity(bytes.len()), Vec::new(), 0);
            for left_out in all {
                let start = left_out.start.saturating_sub(part.start);
                text.extend_from_slice(bytes.get(at..start).unwrap_or_default());
                at = left_out.end - part.start;
                places.push((text.len(), at));
            }
            text.extend_from_slice(bytes.get(at..).unwrap_or_default());
            (text, places)
        },
    )
}

/// What stands before a quotation mark at the end, if there is one.
fn without_quote(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\"").or(text.strip_suffix(b"'")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rules;
    use super::super::search::Search;
    use super::super::template::Made;
    use super::*;

    fn read(text: &str) -> String {
        let at = KEYWORDS.iter().filter_map(|keyword| memchr::memmem::find(text.as_bytes(), keyword)).min();
        match at.and_then(|at| between(text.as_bytes(), at)) {
            Some(between) => {
                let all = [between];
                let plain = parts(text.as_bytes(), &all).next().expect("one");
                assert_eq!(plain.place(&(0..plain.text.len())), Some(0..text.len()));
                String::from_utf8_lossy(&plain.text).into_owned()
            }
            None => String::new(),
        }
    }

    #[test]
    fn names_and_values_are_put_together() {
        for (text, expected) in [
            ("- name: DB_PASSWORD\n  value: abc", "- name: DB_PASSWORD: abc"),
            ("- name: \"X\"\r\n  value: \"abc\"", "- name: \"X\": \"abc\""),
            ("{\"name\":\"X\",\"value\":\"abc\"}", "{\"name\":\"X\":\"abc\"}"),
            ("<add key=\"X\" value=\"abc\"/>", "<add key=\"X\"=\"abc\"/>"),
            ("{name:'a.b', value:'abc'}", "{name:'a.b':'abc'}"),
            ("{'Name': 'X', 'value': 'abc'}", "{'Name': 'X': 'abc'}"),
            ("port: 80\nvalue: abc", ""),
            ("name: X and\nvalue: abc", ""),
            ("name: Xvalue: abc", ""),
            ("value: abc", ""),
            ("\"value\": abc", ""),
            ("name:\n\nvalue=1", ""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn values_apart_from_their_names_are_found() {
        for (name, file) in [("generic-setting", "DB_PASSWORD"), ("generic-setting", "api_key")] {
            let value = Made::of(name).text("tR8{alnum:12}z");
            let text = format!("env:\n- name: PORT\n  value: \"80\"\n- name: {file}\n  value: \"{value}\"\n");
            let (found, _) = Search::default().run(Rules::built_in(), text.as_bytes(), true);
            let told: Vec<_> = found.iter().map(|found| (&*found.rule.id, &text[found.value.clone()])).collect();
            assert_eq!(told, [(name, &*value)], "{text}");
        }
    }
}
