//! Values that JSON or a program writes with escapes inside, such as `https:\/\/` and `\u002d` (RFC 8259, section 7): the text
//! around escapes is searched once more as it reads without them.

use super::plain::{self, Plain};

/// What escapes look like that may stand in a token or an address. Of `\u00` only what is no letter of a language.
pub(super) const KEYWORDS: [&[u8]; 5] = [b":\\/\\/", b"\\u002", b"\\u003", b"\\u005f", b"\\u0040"];

/// The parts of `text` around the places of escapes, which are in order.
pub(super) fn parts<'t>(text: &'t [u8], escapes: &'t [usize]) -> impl Iterator<Item = Plain> + 't {
    plain::parts(text, escapes, |&at| at, |_, part, _| plain(part))
}

fn plain(part: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let (mut text, mut places) = (Vec::with_capacity(part.len()), Vec::new());
    let mut at = 0;
    while let Some(rest) = part.get(at..).filter(|rest| !rest.is_empty()) {
        let copied = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..copied]);
        at += copied;
        match rest.get(copied..).unwrap_or_default() {
            [b'\\', b'/', ..] => {
                text.push(b'/');
                at += 2;
                places.push((text.len(), at));
            }
            [b'\\', b'u', b'0', b'0', high, low, ..] => {
                match hex(*high, *low).filter(|byte| (0x20..0x7f).contains(byte)) {
                    Some(byte) => {
                        text.push(byte);
                        at += 6;
                        places.push((text.len(), at));
                    }
                    None => {
                        text.extend_from_slice(b"\\u");
                        at += 2;
                    }
                }
            }
            // What a backslash is itself escaped by another stays.
            other => {
                let size = other.len().min(2);
                text.extend_from_slice(&other[..size]);
                at += size;
            }
        }
    }
    (text, places)
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rules;
    use super::super::search::Search;
    use super::super::template::Made;
    use super::*;

    #[test]
    fn escapes_go_and_places_stay() {
        let text = br#"a\/b\u002dc\\/d\u00e9\n\"#;
        let (read, places) = plain(text);
        assert_eq!(read, br#"a/b-c\\/d\u00e9\n\"#);
        assert_eq!(places, [(2, 3), (4, 10)]);
        let part = parts(text, &[4]).next().expect("one");
        assert_eq!(part.place(&(3..5)), Some(4..11));
        assert_eq!(part.place(&(0..2)), Some(0..3));
    }

    #[test]
    fn values_with_escapes_are_found() {
        for (template, rule, value) in [
            (r"postgres:\/\/app:v{alnum:14}7q@db.internal\/app", "postgresql-url", None),
            (r"glpat\u002d{alnum:20}", "gitlab-pat", Some("glpat-")),
            (r"ghp\u005f{alnum:36}", "", None),
        ] {
            let text = format!("{{\"a\": 1, \"b\": \"{}\"}}", Made::of(rule).text(template));
            let (found, _) = Search::default().run(Rules::built_in(), text.as_bytes(), false);
            let told: Vec<&str> = found.iter().map(|found| &*found.rule.id).collect();
            assert_eq!(told, if rule.is_empty() { vec![] } else { vec![rule] }, "{text}");
            for found in found {
                let written = &text[found.value.clone()];
                assert!(
                    value.is_none_or(|value| found.bytes(text.as_bytes()).starts_with(value.as_bytes())),
                    "{written}"
                );
                assert!(!written.contains('"') && text[..found.value.end + 1].ends_with(['"', '@']), "{written}");
            }
        }
    }
}
