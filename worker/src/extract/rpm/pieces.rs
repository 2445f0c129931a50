//! Bytes that lie in pieces: a record on pages that are no neighbours, read without joining them.

use std::borrow::Cow;

/// A sequence of bytes in one or more pieces, none of them empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces<'a> {
    /// Where each piece starts, and the piece.
    pieces: Vec<(usize, &'a [u8])>,
    len: usize,
}

impl<'a> Pieces<'a> {
    /// Appends a piece.
    pub(super) fn push(&mut self, piece: &'a [u8]) {
        if !piece.is_empty() {
            self.pieces.push((self.len, piece));
            self.len += piece.len();
        }
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The rest of the piece that holds the byte `at`; empty beyond the end.
    pub(super) fn tail(&self, at: usize) -> &'a [u8] {
        let after = self.pieces.partition_point(|&(start, _)| start <= at);
        let Some(&(start, piece)) = after.checked_sub(1).and_then(|i| self.pieces.get(i)) else { return &[] };
        piece.get(at - start..).unwrap_or_default()
    }

    /// `len` bytes from `at`; copied only where they lie in more than one piece. `None` beyond the end.
    pub(super) fn read(&self, at: usize, len: usize) -> Option<Cow<'a, [u8]>> {
        let end = at.checked_add(len).filter(|&end| end <= self.len)?;
        if let Some(whole) = self.tail(at).get(..len) {
            return Some(Cow::Borrowed(whole));
        }
        let mut joined = Vec::with_capacity(len);
        while at + joined.len() < end {
            let tail = self.tail(at + joined.len());
            joined.extend_from_slice(&tail[..tail.len().min(len - joined.len())]);
        }
        Some(Cow::Owned(joined))
    }

    /// The bytes from `at` to the first NUL, which must come before `end`.
    pub(super) fn string(&self, at: usize, end: usize) -> Option<Cow<'a, [u8]>> {
        let mut nul = at;
        loop {
            let tail = self.tail(nul);
            let tail = tail.get(..end.checked_sub(nul)?).unwrap_or(tail);
            if tail.is_empty() {
                return None;
            }
            match memchr::memchr(0, tail) {
                Some(found) => return self.read(at, nul + found - at),
                None => nul += tail.len(),
            }
        }
    }

    /// Only the `len` bytes from `at`; `None` where there are not as many.
    pub(super) fn part(&self, at: usize, len: usize) -> Option<Self> {
        let end = at.checked_add(len).filter(|&end| end <= self.len)?;
        let mut part = Self { pieces: Vec::with_capacity(self.pieces.len()), len: 0 };
        for &(start, piece) in &self.pieces {
            let from = at.saturating_sub(start).min(piece.len());
            let to = end.saturating_sub(start).min(piece.len());
            part.push(&piece[from..to.max(from)]);
        }
        Some(part)
    }
}

impl<'a> From<&'a [u8]> for Pieces<'a> {
    fn from(whole: &'a [u8]) -> Self {
        let mut pieces = Self::default();
        pieces.push(whole);
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_if_joined() {
        let text = b"ab\0cdefgh\0\0ijk";
        for cut in 0..text.len() {
            for second in cut..text.len() {
                let mut pieces = Pieces::default();
                for piece in [&text[..cut], &text[cut..second], &text[second..]] {
                    pieces.push(piece);
                }
                for at in 0..=text.len() {
                    for len in 0..=text.len() + 1 {
                        let want = text.get(at..at + len);
                        assert_eq!(pieces.read(at, len).as_deref(), want, "{cut} {second} {at} {len}");
                        let part = pieces.part(at, len);
                        assert_eq!(part.as_ref().and_then(|p| p.read(0, len)).as_deref(), want);
                    }
                    for end in at..=text.len() {
                        let want = text[at..end].iter().position(|&b| b == 0).map(|nul| &text[at..at + nul]);
                        assert_eq!(pieces.string(at, end).as_deref(), want, "{cut} {second} {at} {end}");
                    }
                }
            }
        }
    }
}
