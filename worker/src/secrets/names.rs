//! Files that are secrets by what they are called, such as keystores and the logins of a tool: their content is asked as far as
//! it tells cheaply, since a name alone is often wrong.

use std::sync::OnceLock;

use lazaret::exposure::{Exposure, ExposureKind, Identity, Severity};
use lazaret::path::LayerPath;
use regex::bytes::Regex;
use sha2::{Digest as _, Sha256};

use super::dummy;
use super::mask::masked;
use super::rule::compile;
use super::stream::position;

include!(concat!(env!("OUT_DIR"), "/secret_names.rs"));

/// Bytes of a file that its rule sees. Where a longer one might say more, its name is believed.
const KEPT: usize = 1 << 20;
/// Values that are told of one file by one rule.
const MAX_VALUES: usize = 100;

/// A rule, as the build checked and laid it out.
struct Named {
    id: &'static str,
    title: &'static str,
    severity: Severity,
    paths: &'static [&'static str],
    /// Bytes, and which of their bits count.
    begins: &'static [(&'static [u8], &'static [u8])],
    holds: &'static [&'static [u8]],
    lacks: &'static [&'static [u8]],
    pattern: Option<&'static str>,
    compiled: OnceLock<Option<Regex>>,
    rotate: &'static str,
}

/// Hands everything that decides what is found to `text`.
pub(super) fn describe(mut text: impl FnMut(&str)) {
    for Named { id, title, severity, paths, begins, holds, lacks, pattern, rotate, .. } in &NAMED {
        text(&format!(
            "{id} {title} {severity:?} {paths:?} {begins:?} {holds:?} {lacks:?} {pattern:?} {rotate} {KEPT} {MAX_VALUES}"
        ));
    }
}

/// What has come of a file that is called like a secret.
pub(super) struct Kept {
    rules: Vec<&'static Named>,
    head: Vec<u8>,
    hash: Sha256,
    size: u64,
}

/// Begins a file of this path, if rules care for it.
pub(super) fn begin(path: &[u8]) -> Option<Box<Kept>> {
    let (_, name) = lazaret::path::split(path);
    let (first, last) = (name.first()?.to_ascii_lowercase(), name.last()?.to_ascii_lowercase());
    let globs = by_end().get(usize::from(last))?;
    let called = globs.iter().filter(|glob| glob.first.is_none_or(|byte| byte == first) && is_called(path, glob.text));
    let mut rules: Vec<&Named> = called.map(|glob| glob.rule).collect();
    rules.dedup_by_key(|rule| rule.id);
    (!rules.is_empty()).then(|| Box::new(Kept { rules, head: Vec::new(), hash: Sha256::new(), size: 0 }))
}

/// What a path may be like.
struct Glob {
    text: &'static str,
    rule: &'static Named,
    /// How the name of the file begins, if that is told.
    first: Option<u8>,
}

/// By the last byte of a path. Every file of every layer is asked about.
fn by_end() -> &'static [Vec<Glob>] {
    static BY_END: OnceLock<Vec<Vec<Glob>>> = OnceLock::new();
    let ending = |last: u8| {
        let globs = NAMED.iter().flat_map(|rule| rule.paths.iter().map(move |&text| (text, rule)));
        let globs = globs
            .filter(move |(text, _)| text.bytes().last().is_some_and(|b| b == b'*' || b.eq_ignore_ascii_case(&last)));
        let glob = |(text, rule): (&'static str, _)| {
            let (_, name) = lazaret::path::split(text.as_bytes());
            Glob { text, rule, first: name.first().map(u8::to_ascii_lowercase).filter(|&b| b != b'*') }
        };
        globs.map(glob).collect()
    };
    BY_END.get_or_init(|| (0..=u8::MAX).map(ending).collect())
}

/// Makes ready what is wanted for every file.
pub(super) fn warm_up() {
    by_end();
}

impl Kept {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        /// More than any rule asks of a beginning.
        const BEGUN: usize = 64;
        let before = self.head.len();
        if self.rules.is_empty() {
            return;
        }
        let room = KEPT - self.head.len();
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.hash.update(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
        if before < BEGUN && self.head.len() >= BEGUN {
            self.rules.retain(|rule| rule.begins_so(&self.head));
        }
    }

    /// Ends the file at `path`: what is told of it beside what was `found` in it.
    pub(super) fn finish(self, path: &LayerPath, found: &[Exposure]) -> Vec<Exposure> {
        let is_whole = self.size == self.head.len() as u64;
        let mut told = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.fits(&self.head, is_whole)) {
            let Some(pattern) = rule.regex() else {
                // What is in it says more than that it is there.
                if !found.iter().any(|found| found.dismissed.is_none()) {
                    told.push(rule.exposure(path, &[], self.hash.clone().finalize().into()));
                }
                continue;
            };
            for captures in pattern.captures_iter(&self.head).take(MAX_VALUES) {
                let Some(value) = captures.name("secret") else { continue };
                let (lines, bytes) = position(self.head.get(..value.start()).unwrap_or_default());
                let exposure = Exposure {
                    line: lines + 1,
                    column: bytes + 1,
                    dismissed: dummy::reason(value.as_bytes(), true, None).map(str::to_owned),
                    ..rule.exposure(path, value.as_bytes(), Sha256::digest(value.as_bytes()).into())
                };
                let is_same = |other: &Exposure| {
                    other.identity == exposure.identity
                        || (other.line, other.column) == (exposure.line, exposure.column)
                };
                if !found.iter().chain(&told).any(is_same) {
                    told.push(exposure);
                }
            }
        }
        told
    }
}

impl Named {
    fn begins_so(&self, head: &[u8]) -> bool {
        let begins = |(bytes, mask): &(&[u8], &[u8])| {
            head.len() >= bytes.len()
                && head.iter().zip(bytes.iter().zip(*mask)).all(|(have, (byte, mask))| have & mask == *byte)
        };
        self.begins.is_empty() || self.begins.iter().any(begins)
    }

    fn fits(&self, head: &[u8], is_whole: bool) -> bool {
        let has = |part: &&[u8]| memchr::memmem::find(head, part).is_some();
        !head.is_empty()
            && self.begins_so(head)
            && (self.holds.is_empty() || !is_whole || self.holds.iter().any(has))
            && !self.lacks.iter().any(has)
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(self.pattern?).ok()).as_ref()
    }

    fn exposure(&self, path: &LayerPath, value: &[u8], digest: [u8; 32]) -> Exposure {
        Exposure {
            path: path.clone(),
            line: 1,
            column: 1,
            kind: ExposureKind::Secret,
            rule: self.id.into(),
            title: self.title.into(),
            severity: self.severity,
            rotate: self.rotate.into(),
            masked: masked(value),
            identity: Identity::Digest(digest),
            dismissed: None,
        }
    }
}

/// Whether the last components of a path are those of `glob`.
fn is_called(path: &[u8], glob: &str) -> bool {
    let mut components = path.rsplit(|&b| b == b'/');
    glob.as_bytes().rsplit(|&b| b == b'/').all(|wanted| components.next().is_some_and(|name| is_like(name, wanted)))
}

fn is_like(name: &[u8], wanted: &[u8]) -> bool {
    match memchr::memchr(b'*', wanted).and_then(|at| Some((wanted.get(..at)?, wanted.get(at + 1..)?))) {
        None => name.eq_ignore_ascii_case(wanted),
        Some((start, end)) => {
            let starts = name.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
            let ends = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
            starts && name.len() >= start.len() + end.len() && ends.is_some_and(|own| own.eq_ignore_ascii_case(end))
        }
    }
}

#[cfg(test)]
mod tests;
