//! rpm's order: `[epoch:]version[-release]`, each compared as `rpmvercmp` does.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};

/// An rpm version, ordered as rpm's own `rpmVersionCompare` and Lua `rpm.vercmp` order it (rpm 4.15 and later, where
/// both `~` and `^` have a meaning).
///
/// No epoch is epoch 0. A version without a release is *below* the same version with any release, as when two packages
/// are compared; that a dependency without a release matches every release is another question and not asked here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    epoch: Number<'a>,
    version: Part<'a>,
    release: Option<Part<'a>>,
}

impl<'a> Version<'a> {
    /// Reads `text`, white space around it apart. rpm itself compares anything; refused is what it would not build a package of: an empty version or
    /// release, one without a letter or digit, and bytes that are not printable ASCII.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has a space or a character outside printable ASCII");
        }
        // Before a colon, anything but digits belongs to the version, as for rpm.
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (Number(epoch), rest),
            _ => (Number(""), text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        let says_something = |part: &str| part.bytes().any(|byte| byte.is_ascii_alphanumeric());
        if !says_something(version) {
            return Err("its version has no letter and no digit");
        }
        if !release.is_none_or(says_something) {
            return Err("its release has no letter and no digit");
        }
        Ok(Self { epoch, version: Part(version), release: release.map(Part) })
    }
}

/// A version or a release.
#[derive(Clone, Copy, Debug)]
struct Part<'a>(&'a str);

impl Ord for Part<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        Tokens(Some(self.0)).cmp(Tokens(Some(other.0)))
    }
}

ordered!(Part);

/// What `rpmvercmp` sees in a text; all other characters only separate. The order of the kinds is the order between
/// them: `1~` < `1` < `1^` < `1a` < `1.1`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Token<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a str),
    Digits(Number<'a>),
}

/// The tokens of a text, [`Token::End`] once as the last; `None` behind it.
struct Tokens<'a>(Option<&'a str>);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let separates = |c: char| !(c.is_ascii_alphanumeric() || c == '~' || c == '^');
        let text = self.0?.trim_start_matches(separates);
        let (token, rest) = if let Some(rest) = text.strip_prefix('~') {
            (Token::Tilde, Some(rest))
        } else if let Some(rest) = text.strip_prefix('^') {
            (Token::Caret, Some(rest))
        } else if text.is_empty() {
            (Token::End, None)
        } else if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (number, rest) = take_digits(text);
            (Token::Digits(number), Some(rest))
        } else {
            let (letters, rest) = take_while(text, |byte| byte.is_ascii_alphabetic());
            (Token::Letters(letters), Some(rest))
        };
        self.0 = rest;
        Some(token)
    }
}
