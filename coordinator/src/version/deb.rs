//! Debian's order: `[epoch:]upstream[-revision]` as `deb-version(7)` has it and dpkg compares it.

use std::cmp::Ordering;

use super::number::{Number, ordered, take_digits, take_while};

/// A Debian version, ordered as `dpkg --compare-versions` orders it; no epoch is epoch 0, no revision is revision `0`.
///
/// What dpkg refuses is refused. What it only warns about, because databases in the field have it (no digit at the
/// start, an underscore), is read as dpkg reads it, but for bytes that are not printable ASCII: where dpkg puts those
/// depends on the machine it was compiled for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    epoch: Number<'a>,
    upstream: Part<'a>,
    revision: Part<'a>,
}

/// The greatest epoch that dpkg reads.
const MAX_EPOCH: Number<'static> = Number("2147483647");

impl<'a> Version<'a> {
    /// Reads `text`, white space around it apart; the error is the reason why dpkg would refuse it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has a space or a character outside printable ASCII");
        }
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let epoch = match take_digits(epoch) {
            (Number(""), _) => return Err("its epoch is empty"),
            (number, "") if number <= MAX_EPOCH => number,
            (_, "") => return Err("its epoch is too big"),
            _ => return Err("its epoch is not a number"),
        };
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((_, "")) => return Err("its revision is empty"),
            Some(parts) => parts,
            None => (rest, ""),
        };
        if upstream.is_empty() {
            return Err("it is empty");
        }
        Ok(Self { epoch, upstream: Part(upstream), revision: Part(revision) })
    }
}

/// An upstream version or a revision: text and numbers in turn, beginning with text, which may be empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a>(pub(super) &'a str);

impl Ord for Part<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0, other.0);
        while !(a.is_empty() && b.is_empty()) {
            let ((a_text, a_rest), (b_text, b_rest)) = (take_text(a), take_text(b));
            let ((a_number, a_rest), (b_number, b_rest)) = (take_digits(a_rest), take_digits(b_rest));
            let order = weights(a_text).cmp(weights(b_text)).then_with(|| a_number.cmp(&b_number));
            if order.is_ne() {
                return order;
            }
            (a, b) = (a_rest, b_rest);
        }
        Ordering::Equal
    }
}

ordered!(Part);

fn take_text(text: &str) -> (&str, &str) {
    take_while(text, |byte| !byte.is_ascii_digit())
}

/// Letters sort before all else but the end, and a tilde even before the end.
fn weights(text: &str) -> impl Iterator<Item = i16> {
    const END: i16 = 0;
    let weight = |byte: u8| match byte {
        b'~' => END - 1,
        byte if byte.is_ascii_alphabetic() => i16::from(byte),
        byte => i16::from(byte) + 256,
    };
    text.bytes().map(weight).chain([END])
}
