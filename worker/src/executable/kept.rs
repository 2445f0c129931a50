//! The bytes of a stream that were worth keeping: planned ranges, and a window over the end.

use std::ops::Range;

/// Bytes of the end of a file that are kept: what linkers put behind the loaded segments, a large symbol table included.
const MAX_WINDOW: usize = 32 << 20;

/// Parts of one file, addressed by their offsets in it. Buffers stay allocated from file to file.
#[derive(Default)]
pub(super) struct Kept {
    /// Bytes of planned ranges that are kept at most.
    room: usize,
    plan: Vec<Range<u64>>,
    next: usize,
    position: u64,
    planned: Vec<u8>,
    /// Offset in the file, and where in `planned`, of each contiguous run.
    runs: Vec<(u64, Range<usize>)>,
    window_start: u64,
    window: Vec<u8>,
    /// Where in `window` its oldest byte is; other than 0 only once it is full.
    oldest: usize,
}

impl Kept {
    /// Forgets everything. From now on it keeps up to `room` bytes of `plan` (in any order, overlapping or not) and the
    /// end of what lies behind `window_start`.
    pub(super) fn start(&mut self, plan: impl IntoIterator<Item = Range<u64>>, room: usize, window_start: u64) {
        self.room = room;
        self.plan.clear();
        self.plan.extend(plan.into_iter().filter(|range| range.start < range.end));
        self.plan.sort_unstable_by_key(|range| range.start);
        self.plan.dedup_by(|range, before| {
            let joined = range.start <= before.end;
            if joined {
                before.end = before.end.max(range.end);
            }
            joined
        });
        (self.next, self.position, self.oldest) = (0, 0, 0);
        self.window_start = window_start;
        self.planned.clear();
        self.runs.clear();
        self.window.clear();
    }

    /// Plans to keep `range` too, none of which has passed.
    pub(super) fn also(&mut self, range: Range<u64>) {
        let at = self.next + self.plan[self.next..].partition_point(|planned| planned.start <= range.start);
        // Each of the ranges starts where it may, and ends where the next one starts: no byte is kept twice.
        let covered = at.checked_sub(1).filter(|&before| before >= self.next).map_or(0, |before| self.plan[before].end);
        let mut start = range.start.max(covered);
        let mut wanted = Vec::new();
        for planned in &self.plan[at..] {
            wanted.push(start..range.end.min(planned.start));
            start = start.max(planned.end);
        }
        wanted.push(start..range.end);
        self.plan.extend(wanted.into_iter().filter(|range| range.start < range.end));
        self.plan[self.next..].sort_unstable_by_key(|range| range.start);
    }

    /// The planned parts that were kept so far, each as far as it is contiguous.
    pub(super) fn runs(&self) -> impl Iterator<Item = &[u8]> {
        self.runs.iter().filter_map(|(_, range)| self.planned.get(range.clone()))
    }

    /// How much of the file has passed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes the next bytes of the file.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let start = self.position;
        let end = start.saturating_add(chunk.len() as u64);
        self.position = end;
        while let Some(range) = self.plan.get(self.next) {
            if range.start >= end {
                break;
            }
            let (from, to) = (range.start.max(start), range.end.min(end));
            let done = range.end <= end;
            self.keep(from, part(chunk, start, from..to));
            if !done {
                break;
            }
            self.next += 1;
        }
        if end > self.window_start {
            self.slide(part(chunk, start, self.window_start.max(start)..end));
        }
    }

    fn keep(&mut self, offset: u64, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.room.saturating_sub(self.planned.len()))];
        if bytes.is_empty() {
            return;
        }
        let at = self.planned.len();
        self.planned.extend_from_slice(bytes);
        match self.runs.last_mut() {
            Some((first, run)) if *first + run.len() as u64 == offset => run.end = self.planned.len(),
            _ => self.runs.push((offset, at..self.planned.len())),
        }
    }

    fn slide(&mut self, bytes: &[u8]) {
        let (filling, rest) = bytes.split_at(bytes.len().min(MAX_WINDOW - self.window.len()));
        self.window.extend_from_slice(filling);
        // Of more than a window only the last of it survives; the oldest byte moves as if all had been written.
        let skipped = rest.len().saturating_sub(MAX_WINDOW);
        self.oldest = (self.oldest + skipped) % MAX_WINDOW;
        let rest = &rest[skipped..];
        let (first, second) = rest.split_at(rest.len().min(MAX_WINDOW - self.oldest));
        self.window[self.oldest..self.oldest + first.len()].copy_from_slice(first);
        self.window[..second.len()].copy_from_slice(second);
        self.oldest = (self.oldest + rest.len()) % MAX_WINDOW;
    }

    /// The file is over: whatever was kept can be read now.
    pub(super) fn seal(&mut self) {
        self.window.rotate_left(self.oldest);
        self.oldest = 0;
    }

    /// The bytes from `start` on, `size` of them, if all were kept.
    pub(super) fn read(&self, start: u64, size: u64) -> Option<&[u8]> {
        let window_at = self.position.checked_sub(self.window.len() as u64)?;
        if let Some(bytes) = within(window_at, &self.window, start, size) {
            return Some(bytes);
        }
        let run = self.runs.partition_point(|&(offset, _)| offset <= start).checked_sub(1)?;
        let (offset, range) = self.runs.get(run)?;
        within(*offset, self.planned.get(range.clone())?, start, size)
    }
}

/// The bytes at `range` of the file, of a chunk that starts at `start` and covers it.
fn part(chunk: &[u8], start: u64, range: Range<u64>) -> &[u8] {
    within(start, chunk, range.start, range.end.saturating_sub(range.start)).unwrap_or_default()
}

fn within(offset: u64, bytes: &[u8], start: u64, size: u64) -> Option<&[u8]> {
    let from = usize::try_from(start.checked_sub(offset)?).ok()?;
    bytes.get(from..from.checked_add(usize::try_from(size).ok()?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_back_what_was_planned(
            plan in proptest::collection::vec((0u64..500, 0u64..100), 0..8),
            window_start in 0u64..700,
            chunks in proptest::collection::vec((0usize..90, 0u64..200, 0u64..100), 0..20),
        ) {
            let bytes: Vec<u8> = (0..chunks.iter().map(|chunk| chunk.0).sum::<usize>()).map(|i| (i % 251) as u8).collect();
            let mut kept = Kept::default();
            kept.start(plan.iter().map(|&(start, size)| start..start + size), usize::MAX, window_start);
            let mut at = 0;
            let mut plan = plan;
            for (size, ahead, more) in chunks {
                let start = at as u64 + ahead;
                kept.also(start..start + more);
                plan.push((start, more));
                kept.feed(&bytes[at..at + size]);
                at += size;
            }
            kept.seal();
            prop_assert!(kept.planned.len() <= bytes.len(), "no byte twice");
            for (start, size) in plan.into_iter().chain([(window_start, bytes.len() as u64)]) {
                let end = (start + size).min(bytes.len() as u64);
                if start < end {
                    let expected = &bytes[start as usize..end as usize];
                    prop_assert_eq!(kept.read(start, end - start), Some(expected));
                }
                prop_assert_eq!(kept.read(start, bytes.len() as u64 + 1), None);
            }
        }
    }

    #[test]
    fn the_window_holds_the_end_of_a_long_file() {
        let long: Vec<u8> = (0..MAX_WINDOW + 100_003).map(|i| (i % 253) as u8).collect();
        for chunk in [long.len(), 1 << 20, 65_537] {
            let mut kept = Kept::default();
            for _ in 0..2 {
                kept.start([], 0, 10);
                long.chunks(chunk).for_each(|chunk| kept.feed(chunk));
                kept.seal();
                let start = long.len() - MAX_WINDOW;
                assert!(kept.read(start as u64, MAX_WINDOW as u64) == Some(&long[start..]), "{chunk}");
                assert!(kept.read(start as u64 - 1, 1).is_none());
            }
        }
    }

    #[test]
    fn planned_bytes_have_a_budget() {
        let mut kept = Kept::default();
        const ROOM: usize = 5 << 20;
        kept.start(std::iter::once(0..u64::MAX), ROOM, u64::MAX);
        for _ in 0..8 {
            kept.feed(&[7; 1 << 20]);
        }
        kept.seal();
        assert!(kept.read(0, ROOM as u64).is_some() && kept.read(0, ROOM as u64 + 1).is_none());
    }
}
