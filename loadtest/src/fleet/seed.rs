//! Chance that is no chance: numbers that follow from a seed and from what they are for.

/// A stream of numbers. SplitMix64 (Steele, Lea, Flood, 2014): one addition and three rounds of mixing a number.
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream for the thing that `parts` name.
    pub(crate) fn of(seed: u64, parts: &[u64]) -> Self {
        let mut state = mix(seed ^ 0x6c61_7a61_7265_7421);
        for part in parts {
            state = mix(state.wrapping_add(STEP) ^ mix(*part));
        }
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A number of the range, its end included.
    pub(crate) fn within(&mut self, range: &std::ops::RangeInclusive<u32>) -> u32 {
        let span = u64::from(range.end().saturating_sub(*range.start())) + 1;
        range.start() + self.below(span) as u32
    }

    /// A number from 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `all`, which is not empty.
    pub(crate) fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that stands for a text.
pub(crate) fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Popularity by Zipf's law: the n-th of `count` things is chosen in proportion to `1 / n^exponent`.
pub(crate) struct Zipf(Vec<f64>);

impl Zipf {
    pub(crate) fn new(count: u32, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count.max(1)).map(|rank| {
            sum += f64::from(rank).powf(-exponent);
            sum
        });
        Self(weights.collect())
    }

    pub(crate) fn choose(&self, chance: &mut Chance) -> u32 {
        let total = self.0.last().copied().unwrap_or_default();
        let wanted = chance.unit() * total;
        (self.0.partition_point(|sum| *sum <= wanted) as u32).min(self.0.len() as u32 - 1)
    }
}
