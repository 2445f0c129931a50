//! The index of the snapshot: a hash table in a byte slice, from a key to the offset of its block.
//!
//! Layout: `u32` number of buckets (a power of two), then buckets + 1 `u32` ends, then one entry of 12 bytes for each
//! key: the upper 32 bits of its hash and the `u64` offset. One look-up touches two places, wherever they are in the
//! file, and no damaged byte can do more than lead to a wrong offset, which the block's own key unmasks. (An fst would be
//! half as large, but its reader panics on damaged bytes.)

use super::codec::{Damaged, Reader};

const ENTRY_BYTES: usize = 12;

/// The table of `keys` (hash and offset), whatever their order; `None` where there are more than the layout can count.
pub(super) fn build(keys: &[(u64, u64)]) -> Option<Vec<u8>> {
    let buckets = keys.len().checked_next_power_of_two()?;
    let counted = u32::try_from(buckets).ok()?;
    let mut order: Vec<(usize, u64, u64)> =
        keys.iter().map(|&(hash, offset)| (bucket(hash, buckets), hash, offset)).collect();
    order.sort_unstable();
    let mut ends = vec![0u32; buckets + 1];
    for &(bucket, ..) in &order {
        ends[bucket + 1] += 1;
    }
    for bucket in 0..buckets {
        ends[bucket + 1] += ends[bucket];
    }
    let mut table = Vec::with_capacity(4 + ends.len() * 4 + order.len() * ENTRY_BYTES);
    table.extend_from_slice(&counted.to_le_bytes());
    for end in ends {
        table.extend_from_slice(&end.to_le_bytes());
    }
    for (_, hash, offset) in order {
        table.extend_from_slice(&((hash >> 32) as u32).to_le_bytes());
        table.extend_from_slice(&offset.to_le_bytes());
    }
    Some(table)
}

/// The hash of a key of two parts.
pub(super) fn hash(first: &str, second: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(first.as_bytes());
    hasher.update(&[0]);
    hasher.update(second.as_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// The offsets under which the key with this hash may be; its block must be asked whether it is the one.
pub(super) fn candidates(table: &[u8], hash: u64) -> Result<impl Iterator<Item = u64> + '_, Damaged> {
    let buckets = usize::try_from(number(table, 0)?).map_err(|_| Damaged)?;
    if !buckets.is_power_of_two() {
        return Err(Damaged);
    }
    let bucket = bucket(hash, buckets);
    let start = number(table, 4 + bucket * 4)? as usize;
    let end = number(table, 8 + bucket * 4)? as usize;
    let entries = 4 + (buckets + 1) * 4;
    let range = entries + start * ENTRY_BYTES..entries + end * ENTRY_BYTES;
    let entries = table.get(range).ok_or(Damaged)?.chunks_exact(ENTRY_BYTES);
    let tag = ((hash >> 32) as u32).to_le_bytes();
    Ok(entries.filter_map(move |entry| {
        let offset = entry.strip_prefix(&tag)?;
        offset.try_into().ok().map(u64::from_le_bytes)
    }))
}

fn bucket(hash: u64, buckets: usize) -> usize {
    (hash & (buckets as u64 - 1)) as usize
}

fn number(table: &[u8], offset: usize) -> Result<u32, Damaged> {
    let bytes = Reader::at(table, offset as u64)?.bytes(4)?;
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_key_and_no_other() {
        for count in [0, 1, 2, 1000] {
            let keys: Vec<(u64, u64)> = (0..count).map(|i| (hash("e", &i.to_string()), i)).collect();
            let table = build(&keys).unwrap();
            for &(hash, offset) in &keys {
                assert!(candidates(&table, hash).unwrap().any(|found| found == offset));
            }
            assert_eq!(candidates(&table, hash("e", "absent")).unwrap().count(), 0);
        }
    }

    #[test]
    fn the_order_of_the_keys_does_not_matter() {
        let mut keys: Vec<(u64, u64)> = (0..100).map(|i| (hash("e", &i.to_string()), i)).collect();
        let table = build(&keys).unwrap();
        keys.reverse();
        assert_eq!(build(&keys), Some(table));
    }

    #[test]
    fn damage_is_an_error_or_a_miss() {
        let table = build(&[(hash("a", "b"), 7)]).unwrap();
        for index in 0..table.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = table.clone();
                damaged[index] = value;
                if let Ok(found) = candidates(&damaged, hash("a", "b")) {
                    assert!(found.count() <= 1);
                }
            }
            assert!(candidates(&table[..index], hash("a", "b")).is_err());
        }
    }
}
