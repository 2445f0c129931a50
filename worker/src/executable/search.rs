//! A marker in parts of a stream: where it is, however the stream is cut.

use std::ops::Range;

use memchr::memmem::Finder;

use super::header::Segment;

/// Parts of a file that are searched at most; linkers write two or three that are writable.
const MAX_PARTS: usize = 8;

/// The longest marker.
const MAX_MARKER: usize = 16;

/// Looks for a marker that lies at a multiple of some number in the address space, in segments of one file after the other.
pub(super) struct Search {
    finder: Finder<'static>,
    alignment: u64,
    parts: Vec<Part>,
    position: u64,
}

struct Part {
    range: Range<u64>,
    /// What is added to an offset in the file to get the address.
    address_of_zero: u64,
    /// The last bytes that have passed, fewer than the marker has.
    last: Vec<u8>,
}

impl Search {
    /// A search for `marker`, which has at most 16 bytes, at multiples of `alignment`.
    pub(super) fn new(marker: &'static [u8], alignment: u64) -> Self {
        debug_assert!((1..=MAX_MARKER).contains(&marker.len()));
        Self { finder: Finder::new(marker), alignment, parts: Vec::new(), position: 0 }
    }

    /// Starts a file, of which `segments` are searched, no byte of them twice.
    pub(super) fn start(&mut self, segments: impl IntoIterator<Item = Segment>) {
        self.position = 0;
        let part = |segment: Segment| Part {
            range: segment.start..segment.end,
            address_of_zero: segment.address.wrapping_sub(segment.start),
            last: Vec::with_capacity(MAX_MARKER),
        };
        self.parts.clear();
        self.parts.extend(segments.into_iter().map(part));
        self.parts.sort_unstable_by_key(|part| part.range.start);
        let mut covered = 0;
        for part in &mut self.parts {
            part.range.start = part.range.start.max(covered);
            covered = covered.max(part.range.end);
        }
        self.parts.retain(|part| part.range.start < part.range.end);
        self.parts.truncate(MAX_PARTS);
    }

    /// Takes the next bytes of the file and tells where in the file markers start that end in them.
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Vec<u64> {
        let mut found = Vec::new();
        let start = self.position;
        let end = start.saturating_add(chunk.len() as u64);
        self.position = end;
        for part in &mut self.parts {
            let (from, to) = (part.range.start.max(start), part.range.end.min(end));
            if from < to {
                let bytes = &chunk[(from - start) as usize..(to - start) as usize];
                part.feed(&self.finder, self.alignment, from, bytes, &mut found);
            }
        }
        found
    }
}

impl Part {
    fn feed(&mut self, finder: &Finder<'_>, alignment: u64, at: u64, bytes: &[u8], found: &mut Vec<u64>) {
        let keep = finder.needle().len() - 1;
        // What started before these bytes and ends in them, then what lies in them.
        let before = self.last.len();
        self.last.extend_from_slice(&bytes[..bytes.len().min(keep)]);
        let across =
            finder.find_iter(&self.last).filter(|&start| start < before).map(|start| at - before as u64 + start as u64);
        let within = finder.find_iter(bytes).map(|start| at + start as u64);
        let aligned = |offset: &u64| offset.wrapping_add(self.address_of_zero).is_multiple_of(alignment);
        found.extend(across.chain(within).filter(aligned));
        if bytes.len() >= keep {
            self.last.clear();
            self.last.extend_from_slice(&bytes[bytes.len() - keep..]);
        } else {
            let surplus = self.last.len().saturating_sub(keep);
            self.last.drain(..surplus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start: u64, end: u64, address: u64) -> Segment {
        Segment { loaded: true, notes: false, align: 16, address, writable: true, executable: false, start, end }
    }

    #[test]
    fn finds_what_is_aligned_however_the_stream_is_cut() {
        let mut file = vec![b'.'; 400];
        for at in [16, 100, 128, 176, 250, 384] {
            file[at..at + 6].copy_from_slice(b"marker");
        }
        for chunk in 1..40 {
            let mut search = Search::new(b"marker", 16);
            // The second lies at addresses that are 6 less.
            search.start([segment(300, 390, 1 << 20 | 300), segment(10, 130, 10), segment(130, 300, 124)]);
            let found: Vec<u64> = file.chunks(chunk).flat_map(|chunk| search.feed(chunk)).collect();
            // 128 crosses the end of its segment, 250 is aligned by its address alone, 384 fits to the byte.
            assert_eq!(found, [16, 384], "{chunk}");
        }
    }
}
