//! NuGet's order: semantic versions of up to four numbers, without regard to case.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits};
use super::pep440::Caseless;
use super::semver::are_identifiers;

/// A NuGet version (<https://learn.microsoft.com/nuget/concepts/package-versioning>), read and ordered as
/// `NuGet.Versioning` does: missing numbers are 0, leading zeros do not count, and neither does build metadata.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    numbers: [Number<'a>; 4],
    pre_release: PreRelease<'a>,
}

/// The greatest number that `System.Version` holds.
const MAX_NUMBER: Number<'static> = Number("2147483647");

impl<'a> Version<'a> {
    /// Reads `text`, white space around it and around its numbers apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (release, build) = match text.split_once('+') {
            Some((release, build)) => (release, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(are_identifiers) {
            return Err("its build metadata is malformed");
        }
        let (core, pre_release) = match release.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (release, None),
        };
        let mut numbers = [Number(""); 4];
        let mut slots = numbers.iter_mut();
        for part in core.split('.') {
            let slot = slots.next().ok_or("it has more than four numbers")?;
            *slot = match take_digits(part.trim()) {
                (Number(""), _) => return Err("it lacks a number"),
                (_, rest) if !rest.is_empty() => return Err("it has a character where none may be"),
                (number, _) if number > MAX_NUMBER => return Err("a number is too big"),
                (number, _) => number,
            };
        }
        if let Some(pre_release) = pre_release {
            if !are_identifiers(pre_release) {
                return Err("its pre-release is malformed");
            }
            let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            if pre_release.split('.').any(|part| part.len() > 1 && part.starts_with('0') && is_number(part)) {
                return Err("a number in its pre-release has a leading zero");
            }
        }
        Ok(Self { numbers, pre_release: PreRelease(pre_release) })
    }
}

/// Dot-separated labels; a release has none and sorts above all of its pre-releases.
#[derive(Clone, Copy, Debug)]
struct PreRelease<'a>(Option<&'a str>);

impl Ord for PreRelease<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(a), Some(b)) => a.split('.').map(Label::from).cmp(b.split('.').map(Label::from)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

ordered!(PreRelease);

/// Numbers sort below words. A number is what `int.TryParse` takes for one: with a sign, and up to 2147483647; what is
/// beyond is a word.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Label<'a> {
    Number(i32),
    Word(Caseless<'a>),
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(text: &'a str) -> Self {
        text.parse().map_or(Self::Word(Caseless(text)), Self::Number)
    }
}
