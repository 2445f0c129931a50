//! Semantic Versioning 2.0.0: the order that OSV's `SEMVER` ranges are in.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits};

/// A semantic version (<https://semver.org/spec/v2.0.0.html>), ordered by its §11; build metadata does not count.
///
/// The same parts serve [npm](super::npm), which reads more forms into them but orders them alike.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    pub(super) core: [Number<'a>; 3],
    pub(super) pre_release: PreRelease<'a>,
}

impl<'a> Version<'a> {
    /// Reads `text` strictly, with two liberties that Go modules take: a leading `v`, and `1` or `1.2` for `1.0.0` and
    /// `1.2.0` where nothing else follows.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (release, build) = match text.split_once('+') {
            Some((release, build)) => (release, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(are_identifiers) {
            return Err("its build metadata is malformed");
        }
        let release = release.strip_prefix('v').unwrap_or(release);
        let (core, pre_release) = match release.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (release, None),
        };
        let mut numbers = [Number("0"); 3];
        let mut given = 0;
        for part in core.split('.') {
            let slot = numbers.get_mut(given).ok_or("it has more than three numbers")?;
            *slot = whole_number(part)?;
            given += 1;
        }
        if given < numbers.len() && (pre_release.is_some() || build.is_some()) {
            return Err("it has less than three numbers");
        }
        if let Some(pre_release) = pre_release {
            if !are_identifiers(pre_release) {
                return Err("its pre-release is malformed");
            }
            if pre_release.split('.').any(|part| part.len() > 1 && part.starts_with('0') && is_number(part)) {
                return Err("a number in its pre-release has a leading zero");
            }
        }
        Ok(Self { core: numbers, pre_release: PreRelease(pre_release.unwrap_or("")) })
    }
}

/// Dot-separated identifiers; empty for a release, which sorts above all of its pre-releases.
#[derive(Clone, Copy, Debug)]
pub(super) struct PreRelease<'a>(pub(super) &'a str);

impl Ord for PreRelease<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => a.split('.').map(Identifier::from).cmp(b.split('.').map(Identifier::from)),
        }
    }
}

ordered!(PreRelease);

/// Numbers sort below words.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Identifier<'a> {
    Number(Number<'a>),
    Word(&'a str),
}

impl<'a> From<&'a str> for Identifier<'a> {
    fn from(text: &'a str) -> Self {
        if is_number(text) { Self::Number(Number(text)) } else { Self::Word(text) }
    }
}

/// Whether `text` is one or more dot-separated identifiers of ASCII letters, digits and hyphens.
pub(super) fn are_identifiers(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(allowed))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn whole_number(text: &str) -> Result<Number<'_>, &'static str> {
    match take_digits(text) {
        (Number(""), _) => Err("it lacks a number"),
        (_, rest) if !rest.is_empty() => Err("it has a character where none may be"),
        (Number(digits), _) if digits.len() > 1 && digits.starts_with('0') => Err("a number has a leading zero"),
        (number, _) => Ok(number),
    }
}
