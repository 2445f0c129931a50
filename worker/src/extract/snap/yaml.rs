//! So much of YAML as a program writes for settings: scalars and lists of scalars at the top; whatever is deeper is passed over.
//!
//! <https://yaml.org/spec/1.2.2/>. What a person may write and no program does (anchors, tags, flow collections, several
//! documents) is not guessed at where its value is asked for: such a value is none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::control;
use super::super::word::is_word;

/// The longest file that is looked into has about so many keys and values.
const MAX_VALUES: usize = 100_000;

/// The top of a document.
#[derive(Default)]
pub(super) struct Document<'a> {
    scalars: BTreeMap<&'a str, Cow<'a, str>>,
    lists: BTreeMap<&'a str, Vec<Cow<'a, str>>>,
}

impl<'a> Document<'a> {
    /// Reads it line by line. The last line counts only where it is whole.
    pub(super) fn read(content: &'a [u8]) -> Result<Self, &'static str> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let text = std::str::from_utf8(content).map_err(|_| "not UTF-8")?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err("cut short");
        }
        let mut document = Self::default();
        let mut current = None;
        let mut values = 0;
        for line in control::lines(text.as_bytes()) {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let bare = line.trim_start();
            if bare.is_empty() || bare.starts_with('#') || line == "---" {
                continue;
            }
            values += 1;
            if values > MAX_VALUES {
                return Err("more lines than are read");
            }
            let item = bare.strip_prefix("- ");
            if let (Some(item), Some(key)) = (item, current) {
                // Items of a list at the top stand at its key's indentation or deeper; those of one within are passed over
                // with the mapping that holds it.
                if let Some(value) = scalar(item) {
                    document.lists.entry(key).or_default().push(value);
                }
                continue;
            }
            if line.starts_with([' ', '\t']) {
                // The inside of a mapping or of a text; a list within it is not the key's.
                current = None;
                continue;
            }
            let Some((key, value)) = bare.split_once(':') else { return Err("a line that is no setting") };
            if !value.is_empty() && !value.starts_with([' ', '\t']) {
                return Err("a line that is no setting");
            }
            current = value.trim().is_empty().then_some(key);
            if let Some(value) = scalar(value) {
                document.scalars.insert(key, value);
            }
        }
        Ok(document)
    }

    /// The scalar at `key`.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.scalars.get(key).map(AsRef::as_ref)
    }

    /// The scalar at `key`, if it may be a name or a version.
    pub(super) fn word(&self, key: &str) -> Option<&str> {
        self.text(key).filter(|text| is_word(text))
    }

    /// The scalars of the list at `key`.
    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = &Cow<'a, str>> {
        self.lists.get(key).into_iter().flatten()
    }
}

/// A value on one line: plain, or quoted; `None` for anything else that a value can be.
fn scalar(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('\'') {
        let inner = inner.strip_suffix('\'')?;
        return Some(if inner.contains("''") { Cow::Owned(inner.replace("''", "'")) } else { Cow::Borrowed(inner) });
    }
    if let Some(inner) = text.strip_prefix('"') {
        // No name or version has a character that needs an escape.
        return inner.strip_suffix('"').filter(|inner| !inner.contains(['\\', '"'])).map(Cow::Borrowed);
    }
    let plain = text.split(" #").next().unwrap_or_default().trim_end();
    let is_plain =
        !plain.is_empty() && !plain.starts_with(['[', '{', '|', '>', '&', '*', '!', '%', '@', '`', '#', ',', '?']);
    let is_nothing = matches!(plain, "null" | "~" | "Null" | "NULL");
    (is_plain && !is_nothing && !plain.contains(": ")).then_some(Cow::Borrowed(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_top_and_passes_over_the_rest() {
        let text = b"# made by snapcraft\nname: a-b # here\nversion: '1.0''x'\nsummary: \"q\"\ndescription: |\n  name: not this\n  - nor this\napps:\n  a-b:\n    plugs:\n    - home\nlist:\n- x=1\n- y: z\nindented:\n  - k\nflow: [a, b]\nnothing: null\n";
        let document = Document::read(text).unwrap();
        assert_eq!(document.text("name"), Some("a-b"));
        assert_eq!(document.text("version"), Some("1.0'x"));
        assert_eq!(document.text("summary"), Some("q"));
        for none in ["description", "flow", "nothing", "list"] {
            assert_eq!(document.text(none), None, "{none}");
        }
        assert_eq!(document.list("list").collect::<Vec<_>>(), ["x=1"]);
        assert_eq!(document.list("indented").collect::<Vec<_>>(), ["k"]);
        for none in ["apps", "description"] {
            assert_eq!(document.list(none).count(), 0, "{none}");
        }
    }

    #[test]
    fn what_is_no_such_file_says_so() {
        for text in [&b"\xff\xfen\0"[..], b"name", b"name: a", b"just words\n", b"http://x\n"] {
            assert!(Document::read(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        assert!(Document::read(&b"a: b\n".repeat(MAX_VALUES + 1)).is_err());
        assert!(Document::read(b"").is_ok());
    }
}
