//! Parts of a text as they read without what stands between: escapes, or what parts a name from its value.

use std::ops::Range;

/// Bytes around such a place that are read without it.
const AROUND: usize = 1 << 10;

/// A part of a text without what stands between.
pub(super) struct Plain {
    pub(super) text: Vec<u8>,
    part: Range<usize>,
    /// Behind each thing left out: the place in `text`, and that in the part.
    places: Vec<(usize, usize)>,
    /// Whether nothing precedes the part, and whether nothing follows.
    is_end: (bool, bool),
}

/// The parts of `text` around things at places that are in order. `read` gives a part of which it gets the bytes and the things, as
/// it reads without them, with the `places` of [`Plain`].
pub(super) fn parts<'t, T>(
    text: &'t [u8],
    things: &'t [T],
    place: impl Fn(&T) -> usize + Copy + 't,
    read: impl Fn(Range<usize>, &[u8], &[T]) -> (Vec<u8>, Vec<(usize, usize)>) + 't,
) -> impl Iterator<Item = Plain> + 't {
    things.chunk_by(move |a, b| place(b) - place(a) <= 2 * AROUND).filter_map(move |near| {
        let (first, last) = (place(near.first()?), place(near.last()?));
        let part = first.saturating_sub(AROUND)..last.saturating_add(AROUND).min(text.len());
        let (plain, places) = read(part.clone(), text.get(part.clone())?, near);
        Some(Plain { text: plain, is_end: (part.start == 0, part.end == text.len()), part, places })
    })
}

impl Plain {
    /// Where in the whole text a range of this one is; nothing for one at an end that is none of the whole.
    pub(super) fn place(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let is_inside = (range.start > 0 || self.is_end.0) && (range.end < self.text.len() || self.is_end.1);
        let place = |at: usize| {
            let behind = self.places.partition_point(|&(plain, _)| plain <= at).checked_sub(1);
            let (plain, written) = behind.and_then(|last| self.places.get(last)).copied().unwrap_or_default();
            self.part.start + written + (at - plain)
        };
        is_inside.then(|| place(range.start)..place(range.end))
    }
}
