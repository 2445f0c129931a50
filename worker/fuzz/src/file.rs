//! One claimed file. Input: its path, a line feed, for an extractor with companions the size (3 bytes, little-endian) and
//! bytes of one, then the content.

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;
use lazaret_worker::extract::{ClaimedFile, Content, Extractor};

use crate::family::Family;
use crate::{facts, memory, path_and_rest};

/// Tests the laws on a file of the family; nothing if the input is none.
pub fn check(family: Family, input: &[u8]) -> Option<()> {
    let (path, rest) = path_and_rest(input)?;
    let extractor = family.claim(path.as_bytes())?;
    let (beside, content) = if extractor.companions.is_empty() { (None, rest) } else { companion(rest)? };
    let content = match extractor.content {
        Content::Whole(limit) if content.len() as u64 > limit => return None,
        Content::Whole(_) => content,
        Content::NameOnly | Content::Directory => &[],
    };
    let extract = || extract(extractor, &path, content, beside);
    let found = memory::within(family.memory(rest.len()), extract);
    facts::check(&found, extractor.name, &path);
    let weight = facts::WEIGHT_PER_BYTE * input.len() + (64 << 10);
    assert!(found.weight() <= weight, "facts of {} bytes", found.weight());
    // Half the inputs are enough to see what the order of a hash map decides.
    if input.len() % 2 == 0 {
        assert!(found == extract(), "two readings differ");
    }
    Some(())
}

fn extract(extractor: &Extractor, path: &LayerPath, content: &[u8], beside: Option<&[u8]>) -> Facts {
    let companions: Vec<(&str, &[u8])> =
        extractor.companions.iter().flat_map(|&name| beside.map(|content| (name, content))).collect();
    (extractor.extract)(&ClaimedFile { path, content, companions: &companions })
}

/// The companion, if it has any bytes, and the content behind it.
fn companion(rest: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (&[a, b, c], rest) = rest.split_first_chunk()?;
    let size = u32::from_le_bytes([a, b, c, 0]) as usize;
    let (companion, content) = rest.split_at(size.min(rest.len()));
    Some((Some(companion).filter(|companion| !companion.is_empty()), content))
}
