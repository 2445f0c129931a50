//! Rules run over a text in memory: the prefilter says where, the patterns whether, and of matches of one place the best is taken.

use std::ops::Range;

use super::check;
use super::dummy;
use super::escaped;
use super::paired;
use super::prefilter::is_at;
use super::rule::{Keyword, Rule, Rules};

/// A secret in a text.
pub(super) struct Found<'r> {
    pub(super) rule: &'r Rule,
    /// Where its value is.
    pub(super) value: Range<usize>,
    /// The value, where the text has it in another form.
    pub(super) written: Option<Vec<u8>>,
    /// Why it is none to worry about, if it looks like one and is known not to be.
    pub(super) dismissed: Option<&'static str>,
}

impl Found<'_> {
    /// The value, of which `text` is the text.
    pub(super) fn bytes<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        self.written.as_deref().or_else(|| text.get(self.value.clone())).unwrap_or_default()
    }
}

/// The memory of searching, used again for each text.
#[derive(Default)]
pub(super) struct Search {
    /// Rule and place of each keyword.
    hits: Vec<(u32, usize)>,
    /// Keyword and place of what is in base64.
    encoded: Vec<(u32, usize)>,
    /// Places of escapes.
    escapes: Vec<usize>,
    /// What parts names from their values.
    between: Vec<Range<usize>>,
    /// Places of words of malware.
    words: Vec<usize>,
}

/// What patterns may still go through.
pub(super) struct Work(usize);

impl Work {
    /// So many times the bytes of a text may be gone through by patterns that match and whose values then do not satisfy: a
    /// hostile text can have a match begin at each of its bytes.
    const MAX_PASSES: usize = 32;
    /// Bytes that may be gone through in any text.
    const LEAST: usize = 1 << 20;

    fn on(text: &[u8]) -> Self {
        Self(text.len().saturating_mul(Self::MAX_PASSES).max(Self::LEAST))
    }

    /// Takes off what is gone through; nothing is left once it is too much.
    pub(super) fn spend(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.saturating_sub(bytes);
        (self.0 > 0).then_some(())
    }
}

impl Search {
    /// What `rules` find in `text`, by place, none inside another, and whether the work was given up before its end; `settings`
    /// says that the text is one of settings, in which the names alone may tell.
    pub(super) fn run<'r>(&mut self, rules: &'r Rules, text: &[u8], settings: bool) -> (Vec<Found<'r>>, bool) {
        let mut work = Work::on(text);
        let mut found = self.once(rules, text, settings, &mut work);
        let (escapes, words) = (std::mem::take(&mut self.escapes), std::mem::take(&mut self.words));
        let between = std::mem::take(&mut self.between);
        for part in escaped::parts(text, &escapes).chain(paired::parts(text, &between)) {
            let inside = self.once(rules, &part.text, settings, &mut work);
            found.extend(inside.into_iter().filter_map(|found| {
                let written = found.bytes(&part.text).to_vec();
                Some(Found { value: part.place(&found.value)?, written: Some(written), ..found })
            }));
        }
        (self.escapes, self.between, self.words) = (escapes, between, words);
        (best(found), work.0 == 0)
    }

    /// Where the text of the last run has words by which malware is looked for, in order.
    pub(super) fn words_of_malware(&self) -> &[usize] {
        &self.words
    }

    /// What is found in `text` as it is written.
    fn once<'r>(&mut self, rules: &'r Rules, text: &[u8], settings: bool, work: &mut Work) -> Vec<Found<'r>> {
        let Self { hits, encoded, escapes, between, words } = self;
        hits.clear();
        encoded.clear();
        escapes.clear();
        between.clear();
        words.clear();
        rules.prefilter.scan(text, |number, at| match rules.keywords.get(number as usize) {
            Some(Keyword::Of(_, wanting)) => {
                let rest = text.get(at..).unwrap_or_default();
                let may_be = |number: &u32| {
                    let rule = rules.rules.get(*number as usize);
                    rule.is_some_and(|rule| (settings || !rule.generic) && (!rule.leads || rule.glance.begins(rest)))
                };
                hits.extend(wanting.iter().copied().filter(may_be).map(|rule| (rule, at)));
            }
            Some(Keyword::Encoded(_)) => encoded.push((number, at)),
            Some(Keyword::Escape(escape)) if text.get(at..).is_some_and(|rest| rest.starts_with(escape)) => {
                escapes.push(at);
            }
            Some(Keyword::Value(_)) => between.extend(paired::between(text, at)),
            Some(Keyword::Malware(word)) if is_at(word, text, at) => words.push(at),
            Some(Keyword::Escape(_) | Keyword::Malware(_)) | None => {}
        });
        escapes.sort_unstable();
        between.sort_unstable_by_key(|between| between.start);
        words.sort_unstable();
        hits.sort_unstable();
        let mut found = Vec::new();
        for of_rule in hits.chunk_by(|a, b| a.0 == b.0) {
            let Some(rule) = of_rule.first().and_then(|&(rule, _)| rules.rules.get(rule as usize)) else { continue };
            let (mut window, mut runs) = (0..0, rule.glance.runs());
            for &(_, at) in of_rule {
                let start = if rule.leads { at } else { at.saturating_sub(rule.reach) };
                // A look-ahead at the end of a match sees one byte more.
                let end = at.saturating_add(rule.reach).saturating_add(1).min(text.len());
                if !runs.is_in(text, start..end) {
                    continue;
                }
                if start > window.end {
                    matches(rule, text, window, work, &mut found);
                    window = start..end;
                } else {
                    window.end = end;
                }
            }
            matches(rule, text, window, work, &mut found);
        }
        for &(number, at) in encoded.iter() {
            if let Some(Keyword::Encoded(keyword)) = rules.keywords.get(number as usize)
                && let Some(rule) = rules.rules.get(keyword.rule() as usize)
            {
                found.extend(keyword.found(rule, text, at, work));
            }
        }
        found
    }
}

fn matches<'r>(rule: &'r Rule, text: &[u8], window: Range<usize>, work: &mut Work, found: &mut Vec<Found<'r>>) {
    if window.is_empty() {
        return;
    }
    let (Some(regex), Some(seen)) = (rule.regex(), text.get(..window.end)) else { return };
    let mut at = window.start;
    while at < window.end && work.0 > 0 {
        let Some(captures) = regex.captures_at(seen, at) else {
            work.spend(window.end - at);
            return;
        };
        let Some(whole) = captures.get(0) else { return };
        work.spend(whole.end() - at);
        let value = captures.name("secret").unwrap_or(whole).range();
        match judged(rule, text.get(value.clone()).unwrap_or_default()) {
            Some(dismissed) => {
                at = value.end.max(whole.start() + 1);
                // Settings without a value of their own are in every example of a configuration.
                if dismissed.is_none() || !rule.generic {
                    found.push(Found { rule, value, written: None, dismissed });
                }
            }
            None => at = whole.start() + 1,
        }
    }
}

/// Whether a value is one, and if so why it is none to worry about.
pub(super) fn judged(rule: &Rule, value: &[u8]) -> Option<Option<&'static str>> {
    let satisfies = !value.is_empty()
        && rule.check.is_none_or(|wanted| check::holds(wanted, value))
        && (rule.entropy == 0.0 || check::entropy(value) >= rule.entropy);
    satisfies.then(|| dummy::reason(value, rule.loose, rule.check))
}

/// Of those that overlap, the one that says most: a rule that knows the value's form before one that knows its surroundings,
/// and that before one that goes by names; then the longer.
fn best(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let rank = |found: &Found<'_>| (!found.rule.generic, !found.rule.loose, found.rule.leads, found.value.len());
    found.sort_by(|a, b| (a.value.start, rank(b)).cmp(&(b.value.start, rank(a))));
    let mut kept: Vec<Found<'_>> = Vec::with_capacity(found.len());
    for candidate in found {
        match kept.last_mut() {
            Some(last) if candidate.value.start < last.value.end => {
                if rank(&candidate) > rank(last) {
                    *last = candidate;
                }
            }
            _ => kept.push(candidate),
        }
    }
    kept
}
