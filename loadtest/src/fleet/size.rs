//! How large layers are: Docker Hub's distribution, scaled; and the bytes that fill them.

use super::seed::Chance;

/// Uncompressed bytes of layers on Docker Hub, by quantile in thousandths. Half of all layers have less than 4 MB and nine
/// tenths less than 63 MB compressed, 177 MB uncompressed (Zhao et al., CLUSTER 2019); in between and beyond, a guess.
const QUANTILES: [(u32, u64); 7] = [
    (0, 512),
    (250, 400_000),
    (500, 8_000_000),
    (750, 50_000_000),
    (900, 177_000_000),
    (990, 900_000_000),
    (1000, 2_000_000_000),
];

/// The size of a layer, times `scale`.
pub(super) fn draw(scale: f64, largest: u64, chance: &mut Chance) -> u64 {
    let at = chance.below(1_000_000);
    let of = |quantile: u32| u64::from(quantile) * 1000;
    let pair = QUANTILES.windows(2).find(|pair| at < of(pair[1].0));
    let bytes = pair.map_or(0, |pair| {
        let (low, high) = (pair[0], pair[1]);
        low.1 + (high.1 - low.1) * (at - of(low.0)) / (of(high.0) - of(low.0))
    });
    ((bytes as f64 * scale) as u64).min(largest)
}

/// Files of a layer have about this size on Docker Hub.
pub(super) const FILE: u64 = 32 << 10;

/// Fills `content` with `length` bytes of which about a third is noise, so that they shrink as layers do.
pub(super) fn fill(content: &mut Vec<u8>, length: usize, chance: &mut Chance) {
    const TEXT: &[u8] = b"Permission is hereby granted, free of charge, to any person obtaining a copy of this software and \
        associated documentation files, to deal in it without restriction, including the rights to use, copy, modify, \
        merge, publish, distribute, sublicense, and sell copies of it, and to permit persons to whom it is furnished.\n";
    content.clear();
    // Text first: nothing takes such a file for a program.
    while content.len() < length {
        content.extend_from_slice(TEXT);
        content.extend_from_slice(TEXT);
        for _ in 0..40 {
            content.extend_from_slice(&chance.next().to_le_bytes());
        }
    }
    content.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_layers_are_small_and_a_tenth_is_large() {
        let mut chance = Chance::of(1, &[]);
        let mut sizes: Vec<u64> = (0..10_000).map(|_| draw(1.0, u64::MAX, &mut chance)).collect();
        sizes.sort_unstable();
        assert!((7_000_000..9_000_000).contains(&sizes[5000]), "{}", sizes[5000]);
        assert!((160_000_000..200_000_000).contains(&sizes[9000]), "{}", sizes[9000]);
        assert_eq!(draw(1.0, 100, &mut chance), 100);
    }
}
