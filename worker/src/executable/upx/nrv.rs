//! NRV2B, NRV2D and NRV2E, the compressions of the UCL library: literals and matches, told apart by single bits.

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    B,
    D,
    E,
}

/// An offset this large ends the data.
const END: u32 = u32::MAX;

/// The bytes that `data` stands for, at most `size` of them; bits come in little-endian groups of `group` bytes. `None`
/// where it is no such data.
///
/// An offset is a number of a variable length whose lowest byte (in 2D and 2E: seven bits and the first bit of the
/// length) stands in the data; 2 stands for the last one. Then comes the length.
pub(super) fn unpacked(kind: Kind, group: usize, data: &[u8], size: usize) -> Option<Vec<u8>> {
    const TRUSTED_SIZE: usize = 1 << 20;
    let mut bits = Bits { data, at: 0, group, buffer: 0, left: 0 };
    let mut out = Vec::with_capacity(size.min(TRUSTED_SIZE));
    let mut last_offset = 1u32;
    let far = if kind == Kind::B { 0xd00 } else { 0x500 };
    loop {
        while bits.bit()? == 1 {
            if out.len() == size {
                return None;
            }
            out.push(bits.byte()?);
        }
        let mut number = 1u32;
        loop {
            number = bits.append(number)?;
            if bits.bit()? == 1 {
                break;
            }
            if kind != Kind::B {
                number = bits.append(number - 1)?;
            }
        }
        let mut length = 0;
        let offset = if number == 2 {
            if kind != Kind::B {
                length = bits.bit()?;
            }
            last_offset
        } else {
            let offset = number.checked_sub(3)?.checked_mul(256)? | u32::from(bits.byte()?);
            if offset == END {
                return Some(out);
            }
            if kind == Kind::B {
                offset + 1
            } else {
                length = !offset & 1;
                (offset >> 1) + 1
            }
        };
        last_offset = offset;
        length = match kind {
            Kind::B | Kind::D => {
                if kind == Kind::B {
                    length = bits.bit()?;
                }
                length = bits.append(length)?;
                if length == 0 { bits.number(1)?.checked_add(2)? } else { length }
            }
            Kind::E if length == 1 => 1 + bits.bit()?,
            Kind::E if bits.bit()? == 1 => 3 + bits.bit()?,
            Kind::E => bits.number(1)?.checked_add(3)?,
        };
        let length = usize::try_from(length).ok()? + 1 + usize::from(offset > far);
        copy(&mut out, usize::try_from(offset).ok()?, length, size)?;
    }
}

/// Appends `length` bytes that stand `offset` bytes before the end, or did so when those before them had been appended.
pub(super) fn copy(out: &mut Vec<u8>, offset: usize, length: usize, size: usize) -> Option<()> {
    let from = out.len().checked_sub(offset)?;
    if length > size - out.len() {
        return None;
    }
    let mut left = length;
    while left > 0 {
        // What repeats doubles with each turn.
        let part = left.min(out.len() - from);
        if part == 0 {
            return None;
        }
        out.extend_from_within(from..from + part);
        left -= part;
    }
    Some(())
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    group: usize,
    buffer: u32,
    left: usize,
}

impl Bits<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            let bytes = self.data.get(self.at..self.at + self.group)?;
            self.buffer = bytes.iter().rev().fold(0, |buffer, &byte| buffer << 8 | u32::from(byte));
            self.at += self.group;
            self.left = 8 * self.group;
        }
        self.left -= 1;
        Some(self.buffer >> self.left & 1)
    }

    /// `number` with one more bit behind it.
    fn append(&mut self, number: u32) -> Option<u32> {
        Some(number.checked_mul(2)? | self.bit()?)
    }

    /// A number that a bit ends, with `start` before it.
    fn number(&mut self, start: u32) -> Option<u32> {
        let mut number = start;
        loop {
            number = self.append(number)?;
            if self.bit()? == 1 {
                return Some(number);
            }
        }
    }
}
