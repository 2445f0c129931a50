//! RubyGems' order: segments of digits or letters, as `Gem::Version` compares them.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};
use super::semver::are_identifiers;

/// A gem's version (<https://guides.rubygems.org/reference/gem-version/>), ordered as `Gem::Version#<=>` orders it.
///
/// Letters make a pre-release, and a hyphen stands for `.pre.`. Zeros before the first letter and at the end do not
/// count: `1.0` = `1`, `1.0.a` = `1.a`.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The dotted numbers before the first letter, without zeros at their end.
    numbers: &'a str,
    rest: &'a str,
}

impl<'a> Version<'a> {
    /// Reads `text`, white space around it apart. Refused is what RubyGems calls malformed, and the empty text, which it
    /// takes for 0.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let (release, pre_release) = match text.split_once('-') {
            Some((release, pre_release)) => (release, Some(pre_release)),
            None => (text, None),
        };
        let (first, more) = release.split_once('.').map_or((release, None), |(first, more)| (first, Some(more)));
        if !matches!(take_digits(first), (Number(digits), "") if !digits.is_empty()) {
            return Err("it does not begin with a number");
        }
        let is_segment = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !more.is_none_or(|more| more.split('.').all(is_segment)) {
            return Err("it has an empty part, or a character where none may be");
        }
        if !pre_release.is_none_or(are_identifiers) {
            return Err("its pre-release is malformed");
        }
        let (numbers, rest) = take_while(text, |byte| byte.is_ascii_digit() || byte == b'.');
        Ok(Self { numbers: without_zeros(numbers), rest })
    }
}

/// `numbers` up to its last number that is not 0.
fn without_zeros(numbers: &str) -> &str {
    let kept = numbers.trim_end_matches(['0', '.']);
    // The zeros of a `10` went too.
    let (_, cut) = numbers.split_at(kept.len());
    let zeros = if kept.is_empty() { 0 } else { cut.find('.').unwrap_or(cut.len()) };
    numbers.split_at(kept.len() + zeros).0
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (Segments(*self), Segments(*other));
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => x.unwrap_or(Segment::NOTHING).cmp(&y.unwrap_or(Segment::NOTHING)),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

ordered!(Version);

/// Words sort below numbers, and so below what is not there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Segment<'a> {
    Word(&'a str),
    Number(Number<'a>),
}

impl Segment<'_> {
    const NOTHING: Self = Self::Number(Number(""));
}

struct Segments<'a>(Version<'a>);

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let Version { numbers, rest } = &mut self.0;
        let text = if numbers.is_empty() { rest } else { numbers };
        let left = text.trim_start_matches('.');
        let (segment, after) = if let Some(after) = left.strip_prefix('-') {
            (Segment::Word("pre"), after)
        } else if left.starts_with(|c: char| c.is_ascii_digit()) {
            let (number, after) = take_digits(left);
            (Segment::Number(number), after)
        } else {
            let (word, after) = take_while(left, |byte| byte.is_ascii_alphabetic());
            if word.is_empty() {
                return None;
            }
            (Segment::Word(word), after)
        };
        *text = after;
        Some(segment)
    }
}
