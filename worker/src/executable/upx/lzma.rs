//! LZMA without a container, as UPX stores it: two bytes of properties, then what the range coder wrote.

use super::nrv::copy;

/// Bits of the literal context that are believed; UPX writes three.
const MAX_CONTEXT: u32 = 8;

/// A probability of one half.
const HALF: u16 = 1 << 10;

/// States in which the last symbol was a literal.
const LITERAL_STATES: usize = 7;

/// The `size` bytes that `data` stands for, or fewer if it ends itself; `None` where it is no such data.
///
/// Format: the LZMA specification (<https://www.7-zip.org/sdk.html>, `lzma-specification.txt`), with UPX's properties: the
/// bits of the literal context and position in sum, and those of the position; then the former two.
pub(super) fn unpacked(data: &[u8], size: usize) -> Option<Vec<u8>> {
    let [first, second, rest @ ..] = data else { return None };
    let (position_bits, context_bits, literal_position_bits) =
        (u32::from(first & 7), u32::from(second & 15), u32::from(second >> 4));
    let sound = u32::from(first >> 3) == context_bits + literal_position_bits
        && context_bits + literal_position_bits <= MAX_CONTEXT
        && position_bits <= 4;
    if !sound {
        return None;
    }
    let coder = RangeCoder::new(rest)?;
    let mut decoder = Decoder {
        coder,
        literals: vec![HALF; 0x300 << (context_bits + literal_position_bits)],
        context_bits,
        literal_position_mask: (1 << literal_position_bits) - 1,
        position_mask: (1 << position_bits) - 1,
        tables: Tables::new(),
    };
    decoder.run(size)
}

struct Decoder<'a> {
    coder: RangeCoder<'a>,
    literals: Vec<u16>,
    context_bits: u32,
    literal_position_mask: usize,
    position_mask: usize,
    tables: Tables,
}

/// Probabilities of everything but literals.
struct Tables {
    is_match: [[u16; 16]; 12],
    is_repeat: [u16; 12],
    is_repeat_0: [u16; 12],
    is_repeat_0_long: [[u16; 16]; 12],
    is_repeat_1: [u16; 12],
    is_repeat_2: [u16; 12],
    slots: [[u16; 64]; 4],
    distances: [u16; 115],
    alignment: [u16; 16],
    lengths: Lengths,
    repeat_lengths: Lengths,
}

impl Tables {
    fn new() -> Self {
        Self {
            is_match: [[HALF; 16]; 12],
            is_repeat: [HALF; 12],
            is_repeat_0: [HALF; 12],
            is_repeat_0_long: [[HALF; 16]; 12],
            is_repeat_1: [HALF; 12],
            is_repeat_2: [HALF; 12],
            slots: [[HALF; 64]; 4],
            distances: [HALF; 115],
            alignment: [HALF; 16],
            lengths: Lengths::new(),
            repeat_lengths: Lengths::new(),
        }
    }
}

struct Lengths {
    choice: [u16; 2],
    low: [[u16; 8]; 16],
    middle: [[u16; 8]; 16],
    high: [u16; 256],
}

impl Lengths {
    fn new() -> Self {
        Self { choice: [HALF; 2], low: [[HALF; 8]; 16], middle: [[HALF; 8]; 16], high: [HALF; 256] }
    }

    fn decode(&mut self, coder: &mut RangeCoder<'_>, position: usize) -> Option<usize> {
        if coder.bit(&mut self.choice[0])? == 0 {
            Some(coder.tree(&mut self.low[position], 3)?)
        } else if coder.bit(&mut self.choice[1])? == 0 {
            Some(8 + coder.tree(&mut self.middle[position], 3)?)
        } else {
            Some(16 + coder.tree(&mut self.high, 8)?)
        }
    }
}

impl Decoder<'_> {
    fn run(&mut self, size: usize) -> Option<Vec<u8>> {
        const TRUSTED_SIZE: usize = 1 << 20;
        let mut out = Vec::with_capacity(size.min(TRUSTED_SIZE));
        let mut state = 0;
        let mut last = [0u32; 4];
        while out.len() < size {
            let position = out.len() & self.position_mask;
            if self.coder.bit(&mut self.tables.is_match[state][position])? == 0 {
                let byte = self.literal(&out, state, last[0])?;
                out.push(byte);
                state = match state {
                    0..4 => 0,
                    4..10 => state - 3,
                    _ => state - 6,
                };
                continue;
            }
            let after_literal = state < LITERAL_STATES;
            let length;
            if self.coder.bit(&mut self.tables.is_repeat[state])? == 0 {
                length = self.tables.lengths.decode(&mut self.coder, position)?;
                last = [self.distance(length)?, last[0], last[1], last[2]];
                if last[0] == u32::MAX {
                    return Some(out);
                }
                state = if after_literal { 7 } else { 10 };
            } else {
                if self.coder.bit(&mut self.tables.is_repeat_0[state])? == 0 {
                    if self.coder.bit(&mut self.tables.is_repeat_0_long[state][position])? == 0 {
                        state = if after_literal { 9 } else { 11 };
                        copy(&mut out, usize::try_from(last[0]).ok()? + 1, 1, size)?;
                        continue;
                    }
                } else {
                    let index = if self.coder.bit(&mut self.tables.is_repeat_1[state])? == 0 {
                        1
                    } else {
                        2 + self.coder.bit(&mut self.tables.is_repeat_2[state])? as usize
                    };
                    last[..=index].rotate_right(1);
                }
                length = self.tables.repeat_lengths.decode(&mut self.coder, position)?;
                state = if after_literal { 8 } else { 11 };
            }
            copy(&mut out, usize::try_from(last[0]).ok()?.checked_add(1)?, length + 2, size)?;
        }
        Some(out)
    }

    fn literal(&mut self, out: &[u8], state: usize, last: u32) -> Option<u8> {
        let before = usize::from(out.last().copied().unwrap_or(0));
        let place = out.len() & self.literal_position_mask;
        let context = (place << self.context_bits) + (before >> (8 - self.context_bits));
        let table = self.literals.get_mut(0x300 * context..0x300 * (context + 1))?;
        let mut symbol = 1;
        if state >= LITERAL_STATES {
            // The byte at the last distance foretells this one, up to the first bit in which they differ.
            let mut foretold = usize::from(*out.get(out.len().checked_sub(usize::try_from(last).ok()? + 1)?)?);
            while symbol < 0x100 {
                let expected = foretold >> 7 & 1;
                foretold <<= 1;
                let bit = self.coder.bit(&mut table[((1 + expected) << 8) + symbol])? as usize;
                symbol = symbol << 1 | bit;
                if bit != expected {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            symbol = symbol << 1 | self.coder.bit(&mut table[symbol])? as usize;
        }
        Some((symbol & 0xff) as u8)
    }

    fn distance(&mut self, length: usize) -> Option<u32> {
        let slot = self.coder.tree(&mut self.tables.slots[length.min(3)], 6)? as u32;
        if slot < 4 {
            return Some(slot);
        }
        let direct = (slot >> 1) - 1;
        let base = (2 | slot & 1) << direct;
        if slot < 14 {
            let table = self.tables.distances.get_mut((base - slot) as usize..)?;
            return Some(base + self.coder.reversed_tree(table, direct)?);
        }
        let high = self.coder.direct(direct - 4)?;
        Some((base + (high << 4)).wrapping_add(self.coder.reversed_tree(&mut self.tables.alignment, 4)?))
    }
}

struct RangeCoder<'a> {
    data: std::slice::Iter<'a, u8>,
    range: u32,
    code: u32,
}

impl<'a> RangeCoder<'a> {
    fn new(data: &'a [u8]) -> Option<Self> {
        let [0, a, b, c, d, rest @ ..] = data else { return None };
        Some(Self { data: rest.iter(), range: u32::MAX, code: u32::from_be_bytes([*a, *b, *c, *d]) })
    }

    fn refill(&mut self) -> Option<()> {
        if self.range < 1 << 24 {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(*self.data.next()?);
        }
        Some(())
    }

    fn bit(&mut self, probability: &mut u16) -> Option<u32> {
        let bound = (self.range >> 11) * u32::from(*probability);
        let bit = if self.code < bound {
            self.range = bound;
            *probability += ((1 << 11) - *probability) >> 5;
            0
        } else {
            self.range -= bound;
            self.code -= bound;
            *probability -= *probability >> 5;
            1
        };
        self.refill()?;
        Some(bit)
    }

    /// `count` bits of even probability.
    fn direct(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = u32::from(self.code >= self.range);
            self.code -= self.range * bit;
            value = value << 1 | bit;
            self.refill()?;
        }
        Some(value)
    }

    fn tree(&mut self, table: &mut [u16], bits: u32) -> Option<usize> {
        let mut symbol = 1;
        for _ in 0..bits {
            symbol = symbol << 1 | self.bit(table.get_mut(symbol)?)? as usize;
        }
        Some(symbol - (1 << bits))
    }

    fn reversed_tree(&mut self, table: &mut [u16], bits: u32) -> Option<u32> {
        let (mut symbol, mut value) = (1, 0);
        for index in 0..bits {
            let bit = self.bit(table.get_mut(symbol)?)?;
            symbol = symbol << 1 | bit as usize;
            value |= bit << index;
        }
        Some(value)
    }
}
