//! One rule at work on a stream: the first match in the file, as if the whole of it were in memory.

use std::sync::OnceLock;

use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::names::{Index, names};
use super::rules::Rule;

/// The longest text that a rule may match. A match that starts this far before the end of what has been read so far does
/// not depend on what comes next.
pub(super) const LONGEST_MATCH: usize = 256;

/// Matches that a file's name contradicts, or beginnings of none, after which the file is given up: each costs more than a byte does.
const MAX_REFUSED: u32 = 1000;

/// Room for a compiled rule. The largest takes a tenth of it.
const COMPILED_BYTES: usize = 1 << 20;

/// A rule that has not found its product in the file yet.
pub(super) struct Search {
    rule: Index,
    /// Where in the window it goes on.
    from: usize,
    refused: u32,
}

/// What came of looking at a window.
pub(super) enum Outcome {
    Found(Box<Package>),
    NotYet,
    Never,
}

impl Search {
    pub(super) fn new(rule: Index) -> Self {
        Self { rule, from: 0, refused: 0 }
    }

    /// Looks at `window`, for matches that start before `settled`. Of the file's name, `digits` is the version.
    pub(super) fn look(&mut self, window: &[u8], settled: usize, digits: &[u8]) -> Outcome {
        let Some(Compiled { rule, expression, is_named }) = compiled(self.rule) else { return Outcome::Never };
        let beginning = (*is_named && !digits.is_empty()).then(|| [&[0], digits].concat());
        while self.from < settled {
            let next = match &beginning {
                Some(beginning) => next_beginning(expression, window, self.from, beginning),
                None => expression.captures_at(window, self.from).map(|found| (found.get_match().start(), Some(found))),
            };
            let Some((start, found)) = next.filter(|(start, _)| *start < settled) else { break };
            if let Some(package) = found.and_then(|found| package(rule, &found, digits)) {
                return Outcome::Found(Box::new(package));
            }
            self.from = start + 1;
            self.refused += 1;
            if self.refused == MAX_REFUSED {
                return Outcome::Never;
            }
        }
        // The window goes on with what is not settled.
        self.from = 0;
        Outcome::NotYet
    }
}

/// The next place that has what a match must begin with, and the match, if it is one. Much faster than the automaton, for
/// which a zero and a digit are too little to go by.
fn next_beginning<'w>(
    expression: &Regex,
    window: &'w [u8],
    from: usize,
    beginning: &[u8],
) -> Option<(usize, Option<Captures<'w>>)> {
    let start = from + memchr::memmem::find(window.get(from..)?, beginning)?;
    let piece = window.get(start..window.len().min(start + LONGEST_MATCH))?;
    Some((start, expression.captures(piece).filter(|found| found.get_match().start() == 0)))
}

/// A rule and its automaton.
struct Compiled {
    rule: &'static Rule,
    expression: Regex,
    /// A zero and the version of the file's name are what its matches begin with.
    is_named: bool,
}

/// Made when a file is first searched with the rule: a child sees few of the names that rules know.
fn compiled(index: Index) -> Option<&'static Compiled> {
    static COMPILED: OnceLock<Vec<OnceLock<Option<Compiled>>>> = OnceLock::new();
    let all = COMPILED.get_or_init(|| names().rules.iter().map(|_| OnceLock::new()).collect());
    let make = || {
        let rule = names().rules.get(index)?;
        let expression = compile(rule).ok()?;
        let is_named = expression.capture_names().flatten().any(|name| name == "named");
        Some(Compiled { rule, expression, is_named })
    };
    all.get(index)?.get_or_init(make).as_ref()
}

/// One automaton for all expressions of a rule. Finite, so that its time is in proportion to the bytes.
pub(super) fn compile(rule: &Rule) -> Result<Regex, regex::Error> {
    let any = rule.version.join("|");
    RegexBuilder::new(&any).unicode(false).dot_matches_new_line(true).size_limit(COMPILED_BYTES).build()
}

/// The package that a match tells of; nothing where the name of the file says otherwise.
fn package(rule: &Rule, found: &Captures<'_>, digits: &[u8]) -> Option<Package> {
    let update = found.name("update").map(|update| update.as_bytes());
    let named = found.name("named");
    let version = found.iter().skip(1).flatten().next()?.as_bytes();
    if named.is_some() && !begins_with(version, digits) {
        return None;
    }
    let version = std::str::from_utf8(version).ok()?;
    let update = update.map_or(Ok(""), std::str::from_utf8).ok()?;
    let cpe = cpe(rule, version, update);
    Some(Package { cpe: Some(cpe), ..Package::new(Ecosystem::Generic, rule.name, format!("{version}{update}")) })
}

/// Whether a version starts with these components.
fn begins_with(version: &[u8], components: &[u8]) -> bool {
    let rest = version.strip_prefix(components);
    components.is_empty() || rest.is_some_and(|rest| rest.first().is_none_or(|byte| !byte.is_ascii_digit()))
}

/// NIST IR 7695, 6.2: a formatted string of eleven attributes, of which those not known stand for any.
fn cpe(rule: &Rule, version: &str, update: &str) -> String {
    let (vendor, product) = rule.cpe;
    let update = if update.is_empty() { "*" } else { update };
    format!("cpe:2.3:a:{vendor}:{product}:{version}:{update}:*:*:*:*:*:*")
}
