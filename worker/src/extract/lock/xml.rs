//! XML read from front to back: elements by the path of their names, nothing built, no entity but the five of XML itself.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::found::Unreadable;

/// Elements that may be open at once; project files nest a dozen deep.
const MAX_DEPTH: usize = 64;
/// The longest text that is kept of an element or attribute: more than any name or version may have.
const MAX_TEXT: usize = 1024;

/// What a document is told to.
pub(super) trait Elements {
    /// An element begins; `path` is `a/b/c`, from the root to it, without the prefixes of namespaces.
    fn open(&mut self, path: &str, attributes: &Attributes<'_>);
    /// It ends, having held this text, trimmed.
    fn close(&mut self, path: &str, text: &str);
}

/// The attributes of an element.
pub(super) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// The value of the attribute of this name.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        // They would be compared each with each.
        attributes.with_checks(false);
        let found = attributes.flatten().find(|found| found.key.as_ref() == name.as_bytes())?;
        let text = std::str::from_utf8(&found.value).ok().filter(|text| text.len() <= MAX_TEXT)?;
        quick_xml::escape::unescape(text).ok().map(|text| text.trim().to_owned())
    }
}

/// Reads a whole document.
pub(super) fn read(document: &str, to: &mut impl Elements) -> Result<(), Unreadable> {
    let mut reader = Reader::from_str(document);
    let (mut path, mut lengths) = (String::new(), Vec::new());
    let (mut text, mut is_empty) = (String::new(), true);
    loop {
        let event = reader.read_event().map_err(|error| Unreadable::malformed(error.to_string()))?;
        let is_closed = matches!(event, Event::Empty(_) | Event::End(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                if lengths.len() >= MAX_DEPTH {
                    return Err(Unreadable::malformed("nested too deep"));
                }
                lengths.push(path.len());
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(&String::from_utf8_lossy(start.local_name().as_ref()));
                to.open(&path, &Attributes(&start));
                text.clear();
                is_empty = false;
            }
            Event::Text(part) => keep(&mut text, &part),
            Event::CData(part) => keep(&mut text, &part),
            Event::GeneralRef(reference) => {
                let name = format!("&{};", String::from_utf8_lossy(&reference));
                // One of the document's own is kept as written, and is part of no version then.
                let meant = quick_xml::escape::unescape(&name).unwrap_or(Cow::Borrowed(&name));
                keep(&mut text, meant.as_bytes());
            }
            Event::Eof => break,
            Event::End(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if is_closed {
            to.close(&path, text.trim());
            path.truncate(lengths.pop().unwrap_or_default());
            text.clear();
        }
    }
    match lengths.is_empty() && !is_empty {
        true => Ok(()),
        false => Err(Unreadable::malformed("cut off, or not XML")),
    }
}

fn keep(text: &mut String, part: &[u8]) {
    let part = String::from_utf8_lossy(part);
    let room = MAX_TEXT.saturating_sub(text.len());
    text.push_str(&part[..part.floor_char_boundary(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Elements for Told {
        fn open(&mut self, path: &str, attributes: &Attributes<'_>) {
            self.0.extend(attributes.get("v").map(|value| format!("{path} v={value}")));
        }

        fn close(&mut self, path: &str, text: &str) {
            self.0.push(format!("{path} {text}"));
        }
    }

    #[test]
    fn tells_elements_by_their_paths() {
        let mut told = Told::default();
        let document = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x \"y\">]><n:a><!-- <b> --><b v='1&amp;2'/>\
                        <c> d&lt;<![CDATA[e]]>&x; </c></n:a>\n";
        assert!(read(document, &mut told).is_ok());
        assert_eq!(told.0, ["a/b v=1&2", "a/b ", "a/c d<e&x;", "a "]);
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        for document in ["", "a", "<a>", "<a></b>", "<a", "</a>", "<a><!--", &"<a>".repeat(1 << 16)] {
            assert!(read(document, &mut Told::default()).is_err(), "{}", &document[..document.len().min(9)]);
        }
        let wide = format!("<a {}/>", "b=\"c\" ".repeat(1 << 18));
        assert!(read(&wide, &mut Told::default()).is_ok());
    }
}
