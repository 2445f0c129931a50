//! R's order: package versions as `package_version` reads and compares them.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits};

/// An R package's version (*Writing R Extensions*, "The DESCRIPTION file"): at least two whole numbers, separated by single
/// `.` or `-`, which mean the same. Compared number by number; what has more of them is the greater.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a>(&'a str);

/// The greatest whole number of R; `as.integer` makes a greater one `NA`, which has no order.
const MAX_NUMBER: Number<'static> = Number("2147483647");

const SEPARATORS: [char; 2] = ['.', '-'];

impl<'a> Version<'a> {
    /// Reads `text`; the error is the reason why R would refuse it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        for part in text.split(SEPARATORS) {
            match take_digits(part) {
                (Number(""), _) => return Err("it lacks a number"),
                (_, rest) if !rest.is_empty() => return Err("it has a character where none may be"),
                (number, _) if number > MAX_NUMBER => return Err("a number is too big"),
                _ => {}
            }
        }
        if text.contains(SEPARATORS) { Ok(Self(text)) } else { Err("it has less than two numbers") }
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.split(SEPARATORS).map(Number).cmp(other.0.split(SEPARATORS).map(Number))
    }
}

ordered!(Version);
