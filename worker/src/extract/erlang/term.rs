//! Erlang terms as files hold them for `file:consult`: read in one pass, and told by where each word stands.

/// So deep no metadata nests.
const MAX_DEPTH: usize = 64;

/// A string, binary, atom or number, and where it stands.
pub(super) struct Place<'a> {
    /// How many tuples, lists and maps it is in.
    pub(super) depth: usize,
    /// The first word of the tuple that it is in, or that the list it is in is in; empty where there is none.
    pub(super) key: &'a [u8],
    /// How many commas stand before it in the innermost of these.
    pub(super) position: usize,
    /// The word, without quotes; escapes stay as they are written.
    pub(super) text: &'a [u8],
}

#[derive(Clone, Copy, Default)]
struct Frame<'a> {
    closes: u8,
    key: Option<&'a [u8]>,
    position: usize,
}

/// Calls `each` for every word in `content`, in order (Erlang Reference Manual, "Data types"; comments begin with `%`). Every
/// term has to be whole and end in a full stop.
pub(super) fn read<'a>(content: &'a [u8], mut each: impl FnMut(Place<'a>)) -> Result<(), &'static str> {
    let mut frames: Vec<Frame<'a>> = Vec::new();
    let (mut rest, mut is_open) = (content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content), false);
    while let Some((&first, behind)) = rest.split_first() {
        let here = std::mem::replace(&mut rest, behind);
        match first {
            b if b.is_ascii_whitespace() => {}
            b'%' => rest = memchr::memchr(b'\n', rest).and_then(|end| rest.get(end..)).unwrap_or_default(),
            b'{' | b'[' => {
                if frames.len() == MAX_DEPTH {
                    return Err("it nests too deep");
                }
                let key = frames.last().filter(|_| first == b'[').and_then(|frame| frame.key);
                frames.push(Frame { closes: if first == b'{' { b'}' } else { b']' }, key, position: 0 });
                is_open = true;
            }
            b'}' | b']' => {
                if frames.pop().is_none_or(|frame| frame.closes != first) {
                    return Err("its brackets do not match");
                }
            }
            b',' => match frames.last_mut() {
                Some(frame) => frame.position += 1,
                None => return Err("a comma stands outside of any term"),
            },
            b'.' if frames.is_empty() => is_open = false,
            // The type of a binary's segment, as in `<<"ü"/utf8>>`, and a character such as `$"`.
            b'/' => rest = rest.iter().position(|b| !is_of_word(b)).and_then(|end| rest.get(end..)).unwrap_or_default(),
            b'$' => rest = rest.get(1 + usize::from(rest.first() == Some(&b'\\'))..).unwrap_or_default(),
            b'"' | b'\'' => {
                let text;
                (text, rest) = quoted(here).ok_or("a string does not end")?;
                is_open = true;
                found(&mut frames, text, &mut each);
            }
            b if is_of_word(&b) => {
                let end = here.iter().position(|b| !is_of_word(b)).unwrap_or(here.len());
                let text;
                (text, rest) = here.split_at(end);
                is_open = true;
                found(&mut frames, text, &mut each);
            }
            // Signs, and the brackets of binaries, which hold one string and say nothing more.
            _ => is_open = true,
        }
    }
    if is_open || !frames.is_empty() { Err("it ends before the term does") } else { Ok(()) }
}

fn found<'a>(frames: &mut [Frame<'a>], text: &'a [u8], each: &mut impl FnMut(Place<'a>)) {
    let depth = frames.len();
    let Some(frame) = frames.last_mut() else { return };
    if frame.closes == b'}' && frame.position == 0 && frame.key.is_none() {
        frame.key = Some(text);
    }
    each(Place { depth, key: frame.key.unwrap_or_default(), position: frame.position, text });
}

fn is_of_word(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@') || !b.is_ascii()
}

/// The text between the quote that `here` begins with and the next, and what follows; `None` where there is no next.
fn quoted(here: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&quote, rest) = here.split_first()?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(quote, b'\\', rest.get(from..)?)?;
        if rest.get(at) == Some(&quote) {
            return Some((rest.get(..at)?, rest.get(at + 1..)?));
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(content: &str) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        read(content.as_bytes(), |place| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push(format!("{}.{} {}={}", place.depth, place.position, text(place.key), text(place.text)));
        })?;
        Ok(found)
    }

    #[test]
    fn words_by_where_they_stand() {
        assert_eq!(
            words("%% c {\n{<<\"a\">>, <<\"b, }\\\" c\"/utf8>>}.\n{l,[\"x\",'y z',{k,v}]}.").unwrap(),
            ["1.0 a=a", "1.1 a=b, }\\\" c", "1.0 l=l", "2.0 l=x", "2.1 l=y z", "3.0 k=k", "3.1 k=v"]
        );
    }

    #[test]
    fn what_is_not_whole_is_an_error() {
        for content in ["{a", "{a}", "[a}.", "a,b.", "{\"a", "}.", "{\"a\\"] {
            assert!(words(content).is_err(), "{content}");
        }
        assert!(words(&"[".repeat(1 << 20)).is_err());
        assert!(words("").is_ok() && words(" % nothing\n").is_ok());
    }
}
