//! Decimal numbers of any length, compared as the text they were written in.

use std::cmp::Ordering;

/// A run of ASCII digits, compared by value; the empty run is 0, and leading zeros do not count.
///
/// Nothing is converted, so that a megabyte of digits is compared in one pass and cannot overflow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a>(pub(super) &'a str);

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0.trim_start_matches('0'), other.0.trim_start_matches('0'));
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    }
}

/// `text` cut behind its longest leading run of bytes that satisfy `belongs`.
///
/// `belongs` may accept ASCII bytes only, so that the cut always falls between two characters.
pub(super) fn take_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !(byte.is_ascii() && belongs(byte))).unwrap_or(text.len());
    text.split_at(end)
}

/// The leading digits of `text`, and what follows them.
pub(super) fn take_digits(text: &str) -> (Number<'_>, &str) {
    let (digits, rest) = take_while(text, |byte| byte.is_ascii_digit());
    (Number(digits), rest)
}

/// Equality and partial order of a type that has an [`Ord`] written by hand, so that the three can never disagree.
macro_rules! ordered {
    ($type:ident) => {
        impl PartialOrd for $type<'_> {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl PartialEq for $type<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }
        impl Eq for $type<'_> {}
    };
}
pub(super) use ordered;

ordered!(Number);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_value_at_any_length() {
        assert!(Number("9") < Number("10"));
        assert!(Number("") == Number("000"));
        assert!(Number("007") == Number("7"));
        let long = "9".repeat(100_000);
        assert!(Number(&long) < Number(&format!("1{long}")));
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(take_while("12é", |byte| byte != b'x'), ("12", "é"));
        assert_eq!(take_digits("007-r1").1, "-r1");
    }
}
