//! The literal prefilter: where in a text any of two thousand keywords stands, at less than a cycle for each byte.
//!
//! Every keyword is at least four bytes long, so of the four-byte grams that begin at its offsets *o* and *o + 1* one begins at
//! an even place of the text. Only even places are looked at: a gram there is hashed to a slot of a table and to a tag, and where
//! the slot has that tag the gram is very likely one of a keyword, of which eight bytes are then compared. Letters are folded to
//! lower case by setting bit 5 of every byte, which also folds some punctuation; the rules' patterns tell those apart. (The idea
//! of hashed grams at a stride is that of Wu and Manber, "A fast algorithm for multi-pattern searching", 1994.)
//!
//! A part of the text goes through one small loop after the other, hashing, looking up, comparing, noting: but for the look-ups
//! compilers make vectors of these, and none has a branch that a processor would guess wrong.

use std::collections::BTreeMap;

#[cfg(target_arch = "x86_64")]
mod x86;

/// Slots of the table, one for each hash.
const SLOTS: usize = 1 << 16;
/// What is set in each byte of a pair to fold it.
const FOLD: u16 = 0x2020;
/// Of the fourth byte of a gram only these bits count: what follows a keyword of four bytes, whatever it is, makes 16 grams.
const MASK: u16 = 0x47ff;
const GRAM: usize = 4;
/// Even places of a part that goes through the loops at once, and of a group that is noted at once.
const PART: usize = 512;
const GROUP: usize = 16;
/// The tag of a slot that grams of different tags share. Those of grams are odd, and that of an empty slot is 0.
const SHARED: u8 = 2;

/// Finds keywords.
pub(crate) struct Prefilter {
    tags: Box<[u8; SLOTS]>,
    places: Box<[Place; SLOTS]>,
    /// Where in `candidates` each range begins; the first is empty, and the last ends them all.
    starts: Vec<u32>,
    candidates: Vec<Candidate>,
}

/// What may be where a gram of a slot is.
#[derive(Clone, Copy, Default)]
struct Place {
    /// The number of the candidates' range.
    range: u16,
    /// A byte that all of them have, and how far from the gram; nothing where they have none.
    byte: u8,
    far: i8,
}

/// A keyword that has a gram: up to eight bytes of it, and where they begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    word: u64,
    keyword: u32,
    /// Bytes of the word.
    size: u8,
    /// Of the gram from the word.
    ahead: u8,
    /// Of the word from the keyword.
    skip: u8,
}

/// By slot: its tag, and what may be there.
type BySlot = BTreeMap<u16, (u8, Vec<Candidate>)>;

impl Prefilter {
    /// A prefilter for `keywords`, each of at least four bytes; shorter ones are never found.
    pub(crate) fn new(keywords: &[&[u8]]) -> Self {
        let common = common();
        let mut by_slot = BySlot::new();
        // Short ones have no choice, so they come first.
        let mut numbered: Vec<(u32, &&[u8])> = (0..).zip(keywords).collect();
        numbered.sort_by_key(|(_, keyword)| keyword.len());
        for (number, keyword) in numbered {
            let folded: Vec<u8> = keyword.iter().map(|byte| byte | 0x20).collect();
            for (gram, candidate) in anchors(&folded, number, &common, &by_slot) {
                let (slot, tag) = of_bytes(&gram);
                let (of_slot, all) = by_slot.entry(slot).or_insert((tag, Vec::new()));
                if *of_slot != tag {
                    *of_slot = SHARED;
                }
                if !all.contains(&candidate) {
                    all.push(candidate);
                }
            }
        }
        let (mut tags, mut places) = (vec![0; SLOTS], vec![Place::default(); SLOTS]);
        let (mut starts, mut candidates) = (vec![0, 0], Vec::new());
        // What may follow a keyword of four bytes has many slots, and one range.
        let mut numbers: BTreeMap<Vec<Candidate>, u16> = BTreeMap::new();
        for (slot, (tag, of_slot)) in by_slot {
            tags[usize::from(slot)] = tag;
            let (byte, far) = in_common(&of_slot);
            // There are as many numbers as slots, and few of either are taken.
            let range = *numbers.entry(of_slot).or_insert_with_key(|of_slot| {
                candidates.extend_from_slice(of_slot);
                starts.push(candidates.len() as u32);
                (starts.len() - 2) as u16
            });
            places[usize::from(slot)] = Place { range, byte, far };
        }
        Self { tags: boxed(tags), places: boxed(places), starts, candidates }
    }

    /// Calls `found` with the number and the start of every keyword in `text` whose first eight bytes, or all of its fewer,
    /// stand there, in any case; the order is about that of the text.
    pub(crate) fn scan(&self, text: &[u8], mut found: impl FnMut(u32, usize)) {
        #[cfg(target_arch = "x86_64")]
        if x86::scan(self, text, &mut found) {
            return;
        }
        self.loops(text, &mut found);
    }

    /// What [`Self::scan`] does, in whatever instructions it is compiled to where it is called.
    #[inline(always)]
    fn loops(&self, text: &[u8], found: &mut impl FnMut(u32, usize)) {
        let mut pairs = [0_u16; PART + 1];
        let (mut slots, mut tags, mut seen) = ([0_u16; PART], [0_u8; PART], [0_u8; PART]);
        let mut noted = [0_u16; PART / GROUP];
        let mut at = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            // Whole groups, and a pair behind them.
            let size = (rest.len().saturating_sub(2) / 2 / GROUP * GROUP).min(PART);
            if size == 0 {
                break;
            }
            let (pairs, slots) = (&mut pairs[..size + 1], &mut slots[..size]);
            let (tags, seen) = (&mut tags[..size], &mut seen[..size]);
            for (pair, bytes) in pairs.iter_mut().zip(rest.as_chunks().0) {
                *pair = u16::from_le_bytes(*bytes) | FOLD;
            }
            for (((first, second), slot), tag) in
                pairs.iter().zip(&pairs[1..]).zip(slots.iter_mut()).zip(tags.iter_mut())
            {
                (*slot, *tag) = hash(*first, *second);
            }
            for (seen, slot) in seen.iter_mut().zip(slots.iter()) {
                *seen = self.tags[usize::from(*slot)];
            }
            let mut count = 0;
            let groups = seen.as_chunks::<GROUP>().0.iter().zip(tags.as_chunks::<GROUP>().0);
            for (number, (seen, tags)) in groups.enumerate() {
                let any = seen.iter().zip(tags).fold(0, |any, (&seen, &tag)| any | u8::from(is_one(seen, tag)));
                noted[count % (PART / GROUP)] = number as u16;
                count += usize::from(any);
            }
            for &group in &noted[..count] {
                let first = usize::from(group) * GROUP;
                let (seen, tags) = (group_at(seen, first), group_at(tags, first));
                let mut ones = zeros(seen ^ tags) | zeros(seen ^ u128::from_le_bytes([SHARED; GROUP]));
                while ones != 0 {
                    let place = first + ones.trailing_zeros() as usize / 8;
                    ones &= ones - 1;
                    self.slot(text, at + 2 * place, slots[place], found);
                }
            }
            at += 2 * size;
        }
        for at in (at..text.len()).step_by(2) {
            // Behind the end stands a zero, so that a keyword of four bytes at an odd place is found at the very end too.
            let gram = word_at(text, at);
            let (slot, tag) = hash(gram as u16 | FOLD, (gram >> 16) as u16 | FOLD);
            if at + GRAM <= text.len() + 1 && is_one(self.tags[usize::from(slot)], tag) {
                self.slot(text, at, slot, found);
            }
        }
    }

    /// Looks whether a keyword with a gram in this slot, which begins at a place, is there.
    #[inline(never)]
    fn slot(&self, text: &[u8], at: usize, slot: u16, found: &mut impl FnMut(u32, usize)) {
        let Place { range, byte, far } = self.places[usize::from(slot)];
        let there = at.checked_add_signed(far.into()).and_then(|at| text.get(at));
        if far != 0 && there.is_none_or(|there| there | 0x20 != byte) {
            return;
        }
        let range = usize::from(range);
        let (Some(&start), Some(&end)) = (self.starts.get(range), self.starts.get(range + 1)) else { return };
        for candidate in self.candidates.get(start as usize..end as usize).unwrap_or_default() {
            let Some(begin) = at.checked_sub(candidate.ahead.into()) else { continue };
            let mask = u64::MAX >> (64 - 8 * u32::from(candidate.size));
            if (word_at(text, begin) | 0x2020_2020_2020_2020) & mask == candidate.word
                && let Some(begin) = begin.checked_sub(candidate.skip.into())
            {
                found(candidate.keyword, begin);
            }
        }
    }
}

/// Whether all of a keyword stands there, of which [`Prefilter::scan`] has compared no more than eight bytes.
pub(super) fn is_at(keyword: &[u8], text: &[u8], at: usize) -> bool {
    let here = text.get(at..at.saturating_add(keyword.len())).unwrap_or_default();
    here.iter().map(|byte| byte | 0x20).eq(keyword.iter().map(|byte| byte | 0x20))
}

fn boxed<T: Copy + Default>(slots: Vec<T>) -> Box<[T; SLOTS]> {
    slots.into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([T::default(); SLOTS]))
}

/// A byte beside the gram that all these candidates have, and how far from it; 0 if there is none.
fn in_common(candidates: &[Candidate]) -> (u8, i8) {
    let byte = |of: &Candidate, far: i8| {
        let at = of.ahead.checked_add_signed(far).filter(|&at| at < of.size)?;
        of.word.to_le_bytes().get(usize::from(at)).copied()
    };
    let shared = |far: i8| {
        let byte_of_first = byte(candidates.first()?, far)?;
        candidates.iter().all(|of| byte(of, far) == Some(byte_of_first)).then_some((byte_of_first, far))
    };
    [4, -1, 5, -2, 6, -3, 7, -4].into_iter().find_map(shared).unwrap_or_default()
}

/// The highest bit of each byte that is zero.
fn zeros(word: u128) -> u128 {
    const LOW: u128 = u128::from_le_bytes([0x7f; GROUP]);
    !(((word & LOW) + LOW) | word | LOW)
}

/// Whether what a slot has may be of a gram with this tag.
#[inline(always)]
fn is_one(seen: u8, tag: u8) -> bool {
    (seen == tag) | (seen == SHARED)
}

/// The slot and the tag of a gram, of two folded pairs of bytes: multiplicative hashing, in as many bits as vectors multiply.
#[inline(always)]
fn hash(first: u16, second: u16) -> (u16, u8) {
    let second = second & MASK;
    let slot = first.wrapping_mul(0x9e35).wrapping_add(second.wrapping_mul(0x6a6d));
    let tag = first.wrapping_mul(0xc2b3).wrapping_add(second.wrapping_mul(0x5851));
    (slot, (tag >> 8) as u8 | 1)
}

/// The grams by which a keyword, folded already, is found: those of the two neighbouring offsets where they are rarest and their
/// slots are not taken.
fn anchors(
    keyword: &[u8],
    number: u32,
    common: &BTreeMap<[u8; GRAM], u32>,
    by_slot: &BySlot,
) -> Vec<([u8; GRAM], Candidate)> {
    /// As dear as a gram that is as frequent as this.
    const TAKEN: u32 = 6000;
    let cost = |gram: &[u8; GRAM]| {
        let (slot, tag) = of_bytes(gram);
        let is_taken = by_slot.get(&slot).is_some_and(|&(of_slot, _)| of_slot != tag);
        common.get(gram).copied().unwrap_or_else(|| frequency(gram)) + if is_taken { TAKEN } else { 0 }
    };
    let follow = |last: u8| [keyword, &[last]].concat();
    let spellings: Vec<Vec<u8>> = match keyword.len() {
        0..GRAM => return Vec::new(),
        GRAM => (0..8).flat_map(|low| [0x20 | low, 0x60 | low]).map(follow).collect(),
        _ => vec![keyword.to_vec()],
    };
    let mut anchors = Vec::new();
    for spelling in spellings {
        let grams: Vec<[u8; GRAM]> = spelling.windows(GRAM).filter_map(|gram| gram.try_into().ok()).collect();
        let pairs = grams.iter().zip(grams.iter().skip(1)).enumerate();
        let Some((best, (first, second))) = pairs.min_by_key(|(_, (first, second))| cost(first) + cost(second)) else {
            continue;
        };
        let skip = best.min(keyword.len().saturating_sub(8));
        let size = (keyword.len() - skip).min(8);
        let word = word_at(&keyword[skip..skip + size], 0);
        for (at, gram) in [(best, first), (best + 1, second)] {
            // A keyword has 64 bytes at most, or less than twice as many in base64.
            let (size, ahead, skip) = (size as u8, (at - skip) as u8, skip as u8);
            anchors.push((*gram, Candidate { word, keyword: number, size, ahead, skip }));
        }
    }
    anchors
}

fn of_bytes(gram: &[u8; GRAM]) -> (u16, u8) {
    let [a, b, c, d] = *gram;
    hash(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
}

/// Eight bytes from `at` on; zeros behind the end.
fn word_at(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// The bytes of a group of places.
fn group_at(places: &[u8], first: usize) -> u128 {
    places.get(first..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

/// How often the most frequent grams occur, thousands of times in a large tree. `grams.txt` has them as they were counted.
fn common() -> BTreeMap<[u8; GRAM], u32> {
    let lines = include_str!("grams.txt").lines().filter_map(|line| line.split_once(' '));
    let counted = lines.filter_map(|(count, grams)| Some((count.parse().ok()?, grams.as_bytes().as_chunks().0)));
    let folded = |gram: &[u8; GRAM]| gram.map(|byte| byte | 0x20);
    counted.flat_map(|(count, grams)| grams.iter().map(move |gram| (folded(gram), count))).collect()
}

/// Of one that is not: about 1.6 times the logarithm of how often a folded gram occurs, from how often its bytes follow each other.
fn frequency(gram: &[u8]) -> u32 {
    gram.windows(2).map(|pair| u32::from(PAIRS[class(pair[0])][class(pair[1])] - b'A')).sum()
}

fn class(folded: u8) -> usize {
    match folded {
        b'a'..=b'z' => usize::from(folded - b'a'),
        b'0'..=b'9' => 26,
        0x7f => 27,
        b'-' => 28,
        b'.' | b'/' | b':' => 29,
        b' ' => 31,
        _ => 30,
    }
}

/// How often two folded bytes follow each other, `A` never: measured on 700 MB of files of Debian, npm and PyPI. By letters,
/// digits, `_`, `-`, `.` with `/` and `:`, all others, and the space.
const PAIRS: [&[u8; 32]; 32] = [
    b"UPTQPMQJQJOSRSNQNSSTPONMPKJLKNIQ",
    b"QJLJPJIINOHPIIPKJMMJOHGHNHIKHNHN",
    b"SKMLRLIROKPPKKSMHPMSOKILLKJMKKIO",
    b"QKLNTLKLQJIMKKPLINOMOJJIMHJNLNJS",
    b"SNRSPQOLNKLRQTNPPUTSLPOROJKPNOJU",
    b"PJJLPOHJRFFNHJQHFOLMPFGGKFIJJOHR",
    b"PMLIRIKNOGHNMNMJGOOMMIGHIHGMJLHQ",
    b"QJMJSIGKQGHJKJPKGMLOMGHGIGILJLLP",
    b"QOQQPQPIJIKQQUSOIPSSIOHMGOIKIJIN",
    b"MJIIOGFGHGHGGGKIFGNGJGFFFFGFHHGN",
    b"OLJIPIJINGHJIKJIGJMJKGJGGFGLHJGO",
    b"QMLPTOIIRJIRJJRLGLPPQLIHOGHNKLJQ",
    b"ROKKSIIIPHILNKPQGJOJMHGGJGHLIKHP",
    b"RLRSSOSJPINNKNRNHLSTPNIHMIHNLMIT",
    b"OPPQLPNINKNQRUPQHTPQRNPKIIGMJKGQ",
    b"RKKMSIJNOGJPJIQOGRNQOIHIOGHLJKHO",
    b"NKIHHGGHGGFJGFFGHHHGPFGFGFFHFHFL",
    b"SMPOUMOKSINNOQSLIQQRPNKIPIJNLNJS",
    b"PLPKTLMPRHMMLLQPKMQTPKLJOIHNLPIT",
    b"SLPMTMJTTIIMMLROHSQPQJLKRIJPNOJT",
    b"ONMMRMMKOHIQPRJOGRQQJHGJGHIHHIGN",
    b"RJIIRGHHOFGHIIMHFHIIGGGGGFHJHIFM",
    b"OKIINHHNPGFIHMNIFMLIGGKHGFGJHIFO",
    b"MKMJLKGKMGGIJGIOFHIPGFFOIGKLJJGN",
    b"MKKJKIHHKGGLMNMQFKMNHHJJHHGMJLHQ",
    b"KIIHOGGHJFFHHKJGFGGHHFGGIKHGIHGM",
    b"JKJJJJGKHGFIGGFGFGGHFFFKFGKIIJHO",
    b"NMONNNLMOIJMNNMOINPOLLLIGLHPFIGM",
    b"LKLLKLIJKIHKKJJLGLLLIIIHFJJGQIGP",
    b"LKMMLKLKLJHMLLMMGMMMKJJIIHKLHMIR",
    b"IHIJIIHJIGGIHJGHGHIIHGFGFFHGHIHO",
    b"TRSSRSPTTPORQRRRMTTTQQQONOOPPPOZ",
];

#[cfg(test)]
mod tests;
