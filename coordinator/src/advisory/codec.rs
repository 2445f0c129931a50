//! The primitives of the snapshot: little-endian varints and length-prefixed texts, read with every bound checked.

/// The bytes do not hold what their layout says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the advisory snapshot is damaged")]
pub struct Damaged;

/// Appends `number` as LEB128.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends `text` with its length in front.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a list of texts with its length in front.
pub(super) fn put_texts<T: AsRef<str>>(out: &mut Vec<u8>, texts: &[T]) {
    put_number(out, texts.len() as u64);
    for text in texts {
        put_text(out, text.as_ref());
    }
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Reads from `offset` in `bytes`.
    pub(super) fn at(bytes: &'a [u8], offset: u64) -> Result<Self, Damaged> {
        usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).map(Self).ok_or(Damaged)
    }

    /// A single byte.
    pub(super) fn byte(&mut self) -> Result<u8, Damaged> {
        let (&byte, rest) = self.0.split_first().ok_or(Damaged)?;
        self.0 = rest;
        Ok(byte)
    }

    /// `count` bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A LEB128 number of at most 64 bits.
    pub(super) fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// The length of a list: never more than there are bytes left, so that it is safe to allocate for.
    pub(super) fn count(&mut self) -> Result<usize, Damaged> {
        let count = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        if count > self.0.len() { Err(Damaged) } else { Ok(count) }
    }

    /// A length-prefixed text.
    pub(super) fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = self.count()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Damaged)
    }

    /// A list of `T`, each read by `read`. Grows as elements come: a damaged count costs no memory.
    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
        let count = self.count()?;
        let mut list = Vec::with_capacity(count.min(16));
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let mut out = Vec::new();
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            put_number(&mut out, number);
        }
        put_texts(&mut out, &["", "ä"]);
        let mut reader = Reader::new(&out);
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(reader.number(), Ok(number));
        }
        assert_eq!(reader.list(Reader::text), Ok(vec!["", "ä"]));
        assert_eq!(reader.byte(), Err(Damaged));
    }

    #[test]
    fn refuses_counts_that_cannot_be() {
        assert_eq!(Reader::new(&[0xff; 12]).number(), Err(Damaged));
        assert_eq!(Reader::new(&[0x85, 0x01, 0]).text(), Err(Damaged));
        assert!(Reader::at(&[0], 2).is_err());
    }
}
