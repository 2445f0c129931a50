//! Composer's order: versions as `composer/semver` normalises them, compared as PHP's `version_compare` does.

use std::cmp::Ordering;
use std::iter;

use super::number::{Number, ordered, take_digits, take_while};

/// A version that Composer can order (<https://getcomposer.org/doc/articles/versions.md>): one to four numbers, or a date,
/// with a stability (`-beta2`, `RC1`, `-p1`), or a branch of numbers (`1.x-dev`), which is above all releases of it.
///
/// A named branch (`dev-main`) is refused: Composer lets it stand neither below nor above anything. `as` and
/// `@stability` belong to requirements and are refused too.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    numbers: Numbers<'a>,
    modifier: Modifier<'a>,
}

impl<'a> Version<'a> {
    /// Reads `text`, white space around it and build metadata apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let is_named = |name: &&str| text == *name;
        if strip_word(text, "dev-").is_some() || ["master", "trunk", "default"].iter().any(is_named) {
            return Err("it is a branch, which has no order");
        }
        let text = match text.split_once('+') {
            Some((release, build)) if !build.is_empty() && !build.contains(is_space) => release,
            _ => text,
        };
        let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
        release(bare)
            .or_else(|| date(bare))
            .or_else(|| branch(text))
            .ok_or("it is no version of numbers and a stability")
    }

    /// What PHP compares one by one.
    fn tokens(self) -> impl Iterator<Item = Token<'a>> {
        let (four, date) = match self.numbers {
            Numbers::Four(four) => (Some(four), ""),
            Numbers::Date(date) => (None, date),
        };
        let numbers = four.into_iter().flatten().chain(digits(date)).map(Token::Number);
        let Modifier { stability, serial, dev } = self.modifier;
        numbers
            .chain(stability)
            .chain(digits(serial).map(Token::Number))
            .chain(dev.then_some(Token::Dev))
            .chain(iter::once(Token::End))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tokens().cmp(other.tokens())
    }
}

ordered!(Version);

#[derive(Clone, Copy, Debug)]
enum Numbers<'a> {
    Four([Number<'a>; 4]),
    /// Digits in groups, separated by anything else.
    Date(&'a str),
}

/// The order of the kinds is the order between them: `1-dev` < `1-alpha` < `1` < `1.1` < `1-patch`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Token<'a> {
    /// `-Stable` that is not written in small letters: PHP does not know the word.
    Unknown,
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number(Number<'a>),
    Patch,
}

/// What follows the numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Modifier<'a> {
    stability: Option<Token<'a>>,
    /// The digits behind the stability.
    serial: &'a str,
    dev: bool,
}

/// Words for a stability, a longer one before the one it begins with.
const STABILITIES: [(&str, Token<'static>); 9] = [
    ("stable", Token::Unknown),
    ("beta", Token::Beta),
    ("b", Token::Beta),
    ("rc", Token::Candidate),
    ("alpha", Token::Alpha),
    ("a", Token::Alpha),
    ("patch", Token::Patch),
    ("pl", Token::Patch),
    ("p", Token::Patch),
];

/// What stands for `x` in a branch of numbers.
const ANY: Number<'static> = Number("9999999");

/// One to four numbers, the first of at most five digits.
fn release(text: &str) -> Option<Version<'_>> {
    let (first, mut rest) = take_digits(text);
    if !(1..=5).contains(&first.0.len()) {
        return None;
    }
    let mut numbers = [first, Number(""), Number(""), Number("")];
    for slot in &mut numbers[1..] {
        match rest.strip_prefix('.').map(take_digits) {
            Some((number, after)) if !number.0.is_empty() => (*slot, rest) = (number, after),
            _ => break,
        }
    }
    Some(Version { numbers: Numbers::Four(numbers), modifier: modifier(rest)? })
}

/// A year and more, with or without separators: `2010-01-02`, `20100102.1`, `2010.01.02-10.20.30`.
fn date(text: &str) -> Option<Version<'_>> {
    let separates = |byte: u8| matches!(byte, b'.' | b':' | b'-');
    let (run, _) = take_while(text, |byte| byte.is_ascii_digit() || separates(byte));
    let (date, rest) = text.split_at(run.trim_end_matches(['.', ':', '-']).len());
    is_date(date).then_some(())?;
    Some(Version { numbers: Numbers::Date(date), modifier: modifier(rest)? })
}

/// Four digits, one to six times two, perhaps one to three more; each group may have a separator before it.
fn is_date(text: &str) -> bool {
    // Four, six times two, three, and a separator before each but the first.
    const LONGEST: usize = 4 + 6 * 3 + 4;
    if text.len() > LONGEST {
        return false;
    }
    let mut pairs = 0;
    let mut groups = text.split(['.', ':', '-']).map(str::len).enumerate().peekable();
    while let Some((index, length)) = groups.next() {
        let Some(length) = length.checked_sub(if index == 0 { 4 } else { 0 }) else { return false };
        if index > 0 && length == 0 {
            return false;
        }
        if groups.peek().is_none() {
            let fits = |last: usize| {
                length.checked_sub(last).is_some_and(|rest| rest % 2 == 0 && (1..=6).contains(&(pairs + rest / 2)))
            };
            return (0..=3).any(fits);
        }
        if length % 2 == 1 {
            return false;
        }
        pairs += length / 2;
    }
    false
}

/// `1.x-dev`, `2-dev`, `1.2.*-dev`.
fn branch(text: &str) -> Option<Version<'_>> {
    let (name, dev) = text.split_at_checked(text.len().checked_sub(3)?)?;
    dev.eq_ignore_ascii_case("dev").then_some(())?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name).trim_ascii();
    let name = name.strip_prefix(['v', 'V']).unwrap_or(name);
    let mut numbers = [ANY; 4];
    let mut parts = name.split('.');
    for (index, slot) in numbers.iter_mut().enumerate() {
        match parts.next() {
            None => break,
            Some("x" | "X" | "*") if index > 0 => {}
            Some(part) => match take_digits(part) {
                (number, "") if !number.0.is_empty() => *slot = number,
                _ => return None,
            },
        }
    }
    let modifier = Modifier { dev: true, ..Modifier::default() };
    parts.next().is_none().then_some(Version { numbers: Numbers::Four(numbers), modifier })
}

/// All of `text` as a stability, or nothing.
fn modifier(text: &str) -> Option<Modifier<'_>> {
    let text = text.strip_prefix(['.', '_', '-']).unwrap_or(text);
    let word = STABILITIES.iter().find_map(|&(word, token)| Some((token, text, strip_word(text, word)?)));
    let (stability, serial, rest) = match word {
        Some((token, written, rest)) => {
            let (serial, after) = take_serial(rest);
            // It says nothing then, and a `dev` behind it neither.
            if written.starts_with("stable") {
                return is_dev_or_end(after).map(|_| Modifier::default());
            }
            (Some(token), serial, after)
        }
        None => (None, "", text),
    };
    Some(Modifier { stability, serial, dev: is_dev_or_end(rest)? })
}

/// The longest run of numbers, each with or without a dot or hyphen before it.
fn take_serial(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        let (number, after) = take_digits(rest.strip_prefix(['.', '-']).unwrap_or(rest));
        if number.0.is_empty() {
            return text.split_at(text.len() - rest.len());
        }
        rest = after;
    }
}

/// Whether `text` is a `dev` at the end (or nothing); `None` if it is something else.
fn is_dev_or_end(text: &str) -> Option<bool> {
    match text {
        "" => Some(false),
        text => strip_word(text.strip_prefix(['.', '-']).unwrap_or(text), "dev")?.is_empty().then_some(true),
    }
}

/// `text` behind `word`, in letters of either case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

fn digits(text: &str) -> impl Iterator<Item = Number<'_>> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).map(Number)
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}
