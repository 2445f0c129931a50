//! One file's bytes as they stream by, searched in windows that overlap by the longest match; the built-in rules for malware look
//! through the same windows.

use lazaret::exposure::{Exposure, ExposureKind, Identity};
use lazaret::path::LayerPath;

use super::form::MAX_REACH;
use super::identity::{digest, is_key};
use super::mask::masked;
use super::rule::Rules;
use super::search::{Found, Search};
use crate::malware::{Sight, Subject};

/// Bytes that are searched at once, where a file does not come whole.
const WINDOW: usize = 512 << 10;
/// Bytes before a keyword that a match may begin in.
const BEHIND: usize = MAX_REACH;
/// Secrets that are told of one file.
const MAX_FOUND: usize = 1000;

/// The search through one file after the other; its memory is used again.
pub(super) struct Stream {
    rules: &'static Rules,
    search: Search,
    buffer: Vec<u8>,
    settings: bool,
    /// The length that the file should have.
    size: u64,
    /// How far into the buffer keywords have been looked for.
    searched: usize,
    /// Lines before the buffer.
    lines: u64,
    /// Bytes of the line that the buffer begins in, before it.
    in_line: u64,
    found: Vec<Exposure>,
    path: LayerPath,
    /// The mode that the file has in its layer.
    pub(super) mode: u32,
    /// Whether the built-in rules for malware are asked.
    pub(super) has_sight: bool,
    sight: Sight,
    /// Whether there was more than was told.
    cut: bool,
    /// Whether there were more words of malware than were looked at.
    pub(super) is_crowded: bool,
}

impl Stream {
    pub(super) fn new(rules: &'static Rules) -> Self {
        Self {
            rules,
            search: Search::default(),
            buffer: Vec::new(),
            settings: false,
            size: 0,
            searched: 0,
            lines: 0,
            in_line: 0,
            found: Vec::new(),
            path: LayerPath::root(),
            mode: 0,
            has_sight: true,
            sight: Sight::default(),
            cut: false,
            is_crowded: false,
        }
    }

    /// Another search with the same rules.
    pub(super) fn another(&self) -> Self {
        Self { has_sight: self.has_sight, ..Self::new(self.rules) }
    }

    /// Begins the file at `path`, of `size` bytes; `settings` as for [`Search::run`].
    pub(super) fn begin(&mut self, path: &LayerPath, size: u64, settings: bool) {
        self.buffer.clear();
        self.found.clear();
        self.path.clone_from(path);
        (self.size, self.settings) = (size, settings);
        (self.searched, self.lines, self.in_line, self.cut) = (0, 0, 0, false);
        (self.mode, self.sight, self.is_crowded) = (0, Sight::default(), false);
    }

    /// Takes the next bytes of the file.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.buffer.is_empty() && self.searched == 0 && bytes.len() as u64 == self.size {
            // The whole file at once, as most are: it need not be copied.
            self.search(bytes, 0..bytes.len());
            self.whole(bytes);
            self.searched = bytes.len();
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(WINDOW + BEHIND + MAX_REACH - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
            if self.buffer.len() == WINDOW + BEHIND + MAX_REACH {
                self.window();
            }
        }
    }

    /// Ends the file; what was found in it, by place, and whether that is not all.
    pub(super) fn finish(&mut self) -> (Vec<Exposure>, bool) {
        let buffer = std::mem::take(&mut self.buffer);
        self.search(&buffer, self.searched..buffer.len());
        if self.searched == 0 {
            self.whole(&buffer);
        } else if !buffer.is_empty() && self.has_sight {
            let words = self.search.words_of_malware();
            self.sight.window(&buffer, words, self.searched..buffer.len(), self.lines, self.in_line);
            let subject = Subject { path: &self.path, mode: self.mode };
            let (found, is_crowded) = std::mem::take(&mut self.sight).end(subject);
            self.found.extend(found);
            self.is_crowded = is_crowded;
        }
        self.buffer = buffer;
        self.buffer.clear();
        (std::mem::take(&mut self.found), self.cut)
    }

    /// Looks for malware in a file that is all in `text`, which was searched last.
    fn whole(&mut self, text: &[u8]) {
        if self.has_sight && !text.is_empty() {
            let subject = Subject { path: &self.path, mode: self.mode };
            let (found, is_crowded) = Sight::whole(subject, text, self.search.words_of_malware());
            self.found.extend(found);
            self.is_crowded = is_crowded;
        }
    }

    /// Searches a full buffer but for its end, of which the following bytes may make more, and keeps that and what precedes it.
    fn window(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let end = buffer.len() - MAX_REACH;
        self.search(&buffer, self.searched..end);
        if self.has_sight {
            self.sight.window(&buffer, self.search.words_of_malware(), self.searched..end, self.lines, self.in_line);
        }
        self.buffer = buffer;
        let gone = end - BEHIND;
        let (lines, in_line) = position(&self.buffer[..gone]);
        self.in_line = if lines > 0 { in_line } else { self.in_line + in_line };
        self.lines += lines;
        self.buffer.drain(..gone);
        self.searched = BEHIND;
    }

    /// Tells of the secrets in `text` that begin in `range`.
    fn search(&mut self, text: &[u8], range: std::ops::Range<usize>) {
        let (found, cut) = self.search.run(self.rules, text, self.settings);
        self.cut |= cut;
        let (mut at, mut line, mut column) = (0, self.lines, self.in_line);
        for found in found.into_iter().filter(|found| range.contains(&found.value.start)) {
            if self.found.len() == MAX_FOUND {
                self.cut = true;
                return;
            }
            let (lines, in_line) = position(&text[at..found.value.start]);
            column = if lines > 0 { in_line } else { column + in_line };
            line += lines;
            at = found.value.start;
            self.found.push(exposure(&self.path, &found, found.bytes(text), line, column));
        }
    }
}

/// A secret as an exposure of the file at `path`, behind so many lines and bytes of its own line.
pub(super) fn exposure(path: &LayerPath, found: &Found<'_>, value: &[u8], lines: u64, bytes: u64) -> Exposure {
    let rule = found.rule;
    Exposure {
        path: path.clone(),
        line: lines + 1,
        column: bytes + 1,
        kind: ExposureKind::Secret,
        rule: rule.id.clone().into_owned(),
        title: rule.title.clone().into_owned(),
        severity: rule.severity,
        rotate: rule.rotate.clone().into_owned(),
        masked: if is_key(rule.check) { masked(&[]) } else { masked(value) },
        identity: Identity::Digest(digest(rule.check, value)),
        dismissed: found.dismissed.map(str::to_owned),
    }
}

/// How many lines end in `text`, and the bytes behind the last end.
pub(super) fn position(text: &[u8]) -> (u64, u64) {
    let lines = memchr::memchr_iter(b'\n', text).count() as u64;
    let last = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    (lines, (text.len() - last) as u64)
}

#[cfg(test)]
mod tests;
