//! A first look at the place of a keyword: whether a match can be there at all. It is cheap, and most places do not stand it; where
//! none does the rule's pattern is not even compiled.

use std::ops::Range;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(pub(crate) [u64; 4]);

impl Set {
    /// Whether the byte is in it.
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }
}

/// What each match of a rule looks like, as the build found out; by default nothing is known.
#[derive(Clone, Copy, Default)]
pub(super) struct Glance {
    /// The sets that are told by their numbers.
    pub(super) sets: &'static [Set],
    /// Of which set each of a match's first bytes is.
    pub(super) starts: &'static [u16],
    /// A set of which it has so many bytes one behind the other; none at all says nothing.
    pub(super) run: (u16, usize),
}

impl Glance {
    /// Whether `text` may begin with a match.
    pub(super) fn begins(&self, text: &[u8]) -> bool {
        text.len() >= self.starts.len() && self.may_begin(text)
    }

    /// Whether a match may begin with these bytes.
    pub(super) fn may_begin(&self, bytes: &[u8]) -> bool {
        self.starts.iter().zip(bytes).all(|(&set, &byte)| self.set(set).has(byte))
    }

    /// How many of a match's first bytes are told.
    pub(super) fn places(&self) -> usize {
        self.starts.len()
    }

    /// The runs in a text that matches may have.
    pub(super) fn runs(&self) -> Runs {
        let (set, size) = self.run;
        Runs { set: self.set(set), size, clear: 0 }
    }

    fn set(&self, number: u16) -> Set {
        self.sets.get(usize::from(number)).copied().unwrap_or(Set([u64::MAX; 4]))
    }
}

/// The runs in one text. Asked about windows whose beginnings and ends grow, it goes through the text about once.
pub(super) struct Runs {
    set: Set,
    size: usize,
    /// No run begins before this place, as far as windows were asked about.
    clear: usize,
}

impl Runs {
    /// Whether a run is in the window.
    pub(super) fn is_in(&mut self, text: &[u8], window: Range<usize>) -> bool {
        let mut at = self.clear.max(window.start);
        while let Some(next) = text.get(at..at.saturating_add(self.size).min(window.end)) {
            if next.len() < self.size {
                break;
            }
            match next.iter().rposition(|&byte| !self.set.has(byte)) {
                Some(last) => at += last + 1,
                None => {
                    self.clear = at;
                    return true;
                }
            }
        }
        self.clear = at;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(size: usize) -> Runs {
        let digits = Set([0x03ff << b'0', 0, 0, 0]);
        Runs { set: digits, size, clear: 0 }
    }

    #[test]
    fn runs_are_found_where_they_are() {
        let text = b"12 345 6789 x 12345";
        for size in 0..8 {
            for start in 0..=text.len() {
                for end in start..=text.len() {
                    let expected =
                        size == 0 || text[start..end].windows(size).any(|window| window.iter().all(u8::is_ascii_digit));
                    assert_eq!(runs(size).is_in(text, start..end), expected, "{size} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn windows_that_move_on_are_told_as_if_they_were_alone() {
        let text = b"x1x12x123x12345xxxx123456789x1x1234x";
        for size in 1..6 {
            let mut moving = runs(size);
            for start in 0..text.len() - 8 {
                let window = start..start + 8;
                assert_eq!(moving.is_in(text, window.clone()), runs(size).is_in(text, window), "{size} {start}");
            }
        }
    }
}
