//! Dart's order: semantic versions as the `pub_semver` library reads and compares them, build metadata included.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits};
use super::semver::are_identifiers;

/// A Dart package's version (<https://pub.dev/packages/pub_semver>): three numbers, leading zeros allowed, then pre-release
/// and build. Unlike in Semantic Versioning 2.0.0 the build decides where all else is equal; none is below any.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    core: [Number<'a>; 3],
    pre_release: PreRelease<'a>,
    build: Build<'a>,
}

/// The greatest whole number of Dart.
const MAX_NUMBER: Number<'static> = Number("9223372036854775807");

impl<'a> Version<'a> {
    /// Reads `text`; the error is the reason why pub would refuse it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (release, build) = match text.split_once('+') {
            Some((release, build)) => (release, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(are_identifiers) {
            return Err("its build metadata is malformed");
        }
        let (numbers, pre_release) = match release.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (release, None),
        };
        if !pre_release.is_none_or(are_identifiers) {
            return Err("its pre-release is malformed");
        }
        let mut core = [Number(""); 3];
        let mut parts = numbers.split('.');
        for slot in &mut core {
            *slot = match take_digits(parts.next().ok_or("it has less than three numbers")?) {
                (Number(""), _) => return Err("it lacks a number"),
                (_, rest) if !rest.is_empty() => return Err("it has a character where none may be"),
                (number, _) if number > MAX_NUMBER => return Err("a number is too big"),
                (number, _) => number,
            };
        }
        if parts.next().is_some() {
            return Err("it has more than three numbers");
        }
        Ok(Self { core, pre_release: PreRelease(pre_release), build: Build(build) })
    }
}

/// A release is above all of its pre-releases.
#[derive(Clone, Copy, Debug)]
struct PreRelease<'a>(Option<&'a str>);

impl Ord for PreRelease<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.is_none().cmp(&other.0.is_none()).then_with(|| identifiers(self.0).cmp(identifiers(other.0)))
    }
}

ordered!(PreRelease);

#[derive(Clone, Copy, Debug)]
struct Build<'a>(Option<&'a str>);

impl Ord for Build<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        identifiers(self.0).cmp(identifiers(other.0))
    }
}

ordered!(Build);

fn identifiers<'a>(text: Option<&'a str>) -> impl Iterator<Item = Identifier<'a>> {
    text.into_iter().flat_map(|text| text.split('.')).map(Identifier::from)
}

/// Numbers sort below words.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
enum Identifier<'a> {
    Number(i128),
    Word(&'a str),
}

impl<'a> From<&'a str> for Identifier<'a> {
    /// A number is what Dart's `int.tryParse` takes for one: `-1` and `0x1f` too, and nothing beyond 64 bits.
    fn from(text: &'a str) -> Self {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
        let number = match hexadecimal {
            Some(digits) => {
                whole(digits, 16).map(|bits| if sign > 0 { i128::from(bits as i64) } else { -i128::from(bits) })
            }
            None => whole(digits, 10).map(|value| sign * i128::from(value)).filter(|&n| i64::try_from(n).is_ok()),
        };
        number.filter(|&n| i64::try_from(n).is_ok()).map_or(Self::Word(text), Self::Number)
    }
}

fn whole(digits: &str, radix: u32) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, radix).ok().filter(|_| plain)
}
