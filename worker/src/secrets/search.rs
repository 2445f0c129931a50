//! Rules run over a text in memory: the prefilter says where, the patterns whether, and of matches of one place the best is taken.

use std::ops::Range;

use super::check;
use super::dummy;
use super::rule::{Rule, Rules};

/// A secret in a text.
pub(super) struct Found<'r> {
    pub(super) rule: &'r Rule,
    /// Where its value is.
    pub(super) value: Range<usize>,
    /// Why it is none to worry about, if it looks like one and is known not to be.
    pub(super) dismissed: Option<&'static str>,
}

/// The memory of searching, used again for each text.
#[derive(Default)]
pub(super) struct Search {
    /// Rule and place of each keyword.
    hits: Vec<(u32, usize)>,
}

/// So many times the bytes of a text may be gone through by patterns that match and whose values then do not satisfy: a hostile
/// text can have a match begin at each of its bytes.
const MAX_PASSES: usize = 32;
/// Bytes that may be gone through in any text.
const MIN_BUDGET: usize = 1 << 20;

impl Search {
    /// What `rules` find in `text`, by place, none inside another; `settings` says that the text is one of settings, in which
    /// the names alone may tell.
    pub(super) fn run<'r>(&mut self, rules: &'r Rules, text: &[u8], settings: bool) -> (Vec<Found<'r>>, bool) {
        let hits = &mut self.hits;
        hits.clear();
        rules.prefilter.scan(text, |keyword, at| {
            let wanting = rules.wanting.get(keyword as usize).map_or(&[][..], Vec::as_slice);
            let rest = text.get(at..).unwrap_or_default();
            let may_be = |number: &u32| {
                let rule = rules.rules.get(*number as usize);
                rule.is_some_and(|rule| (settings || !rule.generic) && (!rule.leads || rule.glance.begins(rest)))
            };
            hits.extend(wanting.iter().copied().filter(may_be).map(|rule| (rule, at)));
        });
        if hits.is_empty() {
            return (Vec::new(), false);
        }
        hits.sort_unstable();
        let mut found = Vec::new();
        let mut budget = text.len().saturating_mul(MAX_PASSES).max(MIN_BUDGET);
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
                    matches(rule, text, window, &mut budget, &mut found);
                    window = start..end;
                } else {
                    window.end = end;
                }
            }
            matches(rule, text, window, &mut budget, &mut found);
        }
        (best(found), budget == 0)
    }
}

fn matches<'r>(rule: &'r Rule, text: &[u8], window: Range<usize>, budget: &mut usize, found: &mut Vec<Found<'r>>) {
    let (Some(regex), Some(seen)) = (rule.regex(), text.get(..window.end)) else { return };
    let mut at = window.start;
    while at < window.end && *budget > 0 {
        let Some(captures) = regex.captures_at(seen, at) else {
            *budget = budget.saturating_sub(window.end - at);
            return;
        };
        let Some(whole) = captures.get(0) else { return };
        *budget = budget.saturating_sub(whole.end() - at);
        let value = captures.name("secret").unwrap_or(whole).range();
        let bytes = text.get(value.clone()).unwrap_or_default();
        if satisfies(rule, bytes) {
            let dismissed = dummy::reason(bytes, rule.loose, rule.check);
            at = value.end.max(whole.start() + 1);
            // Settings without a value of their own are in every example of a configuration.
            if dismissed.is_none() || !rule.generic {
                found.push(Found { rule, value, dismissed });
            }
        } else {
            at = whole.start() + 1;
        }
    }
}

fn satisfies(rule: &Rule, value: &[u8]) -> bool {
    !value.is_empty()
        && rule.check.is_none_or(|wanted| check::holds(wanted, value))
        && (rule.entropy == 0.0 || check::entropy(value) >= rule.entropy)
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
