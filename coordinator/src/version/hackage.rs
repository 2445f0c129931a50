//! Haskell's order: lists of numbers, as Cabal reads and compares them.

use std::cmp::Ordering;

use super::number::{Number, ordered};

/// A Haskell package's version (`Distribution.Types.Version` of Cabal): whole numbers separated by dots, each of at most nine
/// digits and without leading zeros. Compared number by number; what has more of them is the greater, so `1.0` is below
/// `1.0.0`.
///
/// The tags that Cabal reads and forgets (`1.0-beta`) are refused: Hackage takes no such version.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a>(&'a str);

const MAX_DIGITS: usize = 9;

impl<'a> Version<'a> {
    /// Reads `text`; the error is the reason why it is none of Hackage's.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        for part in text.split('.') {
            if part.is_empty() {
                return Err("it lacks a number");
            }
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("it has a character where none may be");
            }
            if part.len() > 1 && part.starts_with('0') {
                return Err("a number has a leading zero");
            }
            if part.len() > MAX_DIGITS {
                return Err("a number is too big");
            }
        }
        Ok(Self(text))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.split('.').map(Number).cmp(other.0.split('.').map(Number))
    }
}

ordered!(Version);
