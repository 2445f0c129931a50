//! What every match of a pattern has to look like, found out by the build: so that at most places where a keyword stands the
//! pattern need not run, nor even be compiled.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::glance::Set;

/// Places from the start of a match that are described.
const PLACES: usize = 32;
/// Bytes of a run that are looked for.
const LONGEST: usize = 64;

/// How often a byte of a text is in a set, about.
fn share(set: &Set) -> f64 {
    const ALL: f64 = 117_890.0;
    let its: u32 = (0..=255).filter(|&byte| set.has(byte)).map(weight).sum();
    (f64::from(its) / ALL).min(1.0)
}

fn add(set: &mut Set, byte: u8) {
    set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
}

fn join(set: &mut Set, other: Set) {
    set.0.iter_mut().zip(other.0).for_each(|(mine, its)| *mine |= its);
}

/// How often a byte occurs in programs and their settings, about and beside the others.
fn weight(byte: u8) -> u32 {
    let weights: [(&[u8], u32); 7] = [
        (b" ", 12_000),
        (b"etaoinrs", 4_000),
        (b"\0", 3_000),
        (b"01\n", 2_000),
        (b"bcdfghjklmpquvwxyz", 1_500),
        (b"23456789._-/\",", 1_000),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ();:='", 500),
    ];
    let often = weights.into_iter().find(|(bytes, _)| bytes.contains(&byte)).map(|(_, weight)| weight);
    often.unwrap_or(if byte.is_ascii_graphic() || byte == b'\t' { 150 } else { 30 })
}

/// So many bytes of one set, one behind the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) set: Set,
    pub(crate) size: usize,
}

impl Run {
    /// With more bytes in the set, and of another length.
    fn with(self, other: Set, size: usize) -> Self {
        let mut set = self.set;
        join(&mut set, other);
        Self { set, size }
    }

    /// How rare it is in texts: about the bits that it takes to say where one begins.
    fn rarity(&self) -> f64 {
        -share(&self.set).max(1e-6).log2() * self.size.min(LONGEST) as f64
    }
}

/// What the bytes of a match are, from its start on as far as the shortest goes; where nothing is said at the end, less.
pub(crate) fn starts(hir: &Hir) -> Vec<Set> {
    let mut sets = [Set::default(); u64::BITS as usize];
    walk(hir, 1, &mut sets);
    let shortest = hir.properties().minimum_len().unwrap_or(0);
    let mut sets = sets[..shortest.min(PLACES)].to_vec();
    while sets.last().is_some_and(|set| share(set) > 0.9) {
        sets.pop();
    }
    sets
}

/// Notes which bytes may stand where, if it begins at any of `starts`, a bit for each; and where it may end.
fn walk(hir: &Hir, starts: u64, sets: &mut [Set; 64]) -> u64 {
    let mut note = |starts: u64, set: Set| {
        (0..64).filter(|place| starts >> place & 1 != 0).for_each(|place| join(&mut sets[place], set));
        starts << 1
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => starts,
        HirKind::Literal(literal) => literal.0.iter().fold(starts, |at, &byte| note(at, single(byte))),
        HirKind::Class(class) => note(starts, members(class)),
        HirKind::Capture(capture) => walk(&capture.sub, starts, sets),
        HirKind::Concat(parts) => parts.iter().fold(starts, |at, part| walk(part, at, sets)),
        HirKind::Alternation(parts) => parts.iter().fold(0, |ends, part| ends | walk(part, starts, sets)),
        HirKind::Repetition(repetition) => {
            let mut at = starts;
            for _ in 0..repetition.min.min(64) {
                at = walk(&repetition.sub, at, sets);
            }
            let mut ends = at;
            for _ in repetition.min..repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(64)) {
                at = walk(&repetition.sub, at, sets);
                ends |= at;
            }
            ends
        }
    }
}

/// The rarest run that every match has, other than in one of the keywords, which is there anyway; none where it says too little.
pub(crate) fn run(hir: &Hir, keywords: &[String]) -> Option<Run> {
    const LEAST: f64 = 7.0;
    let best = best(hir, keywords)?;
    (best.rarity() >= LEAST).then_some(Run { size: best.size.min(LONGEST), ..best })
}

fn best(hir: &Hir, keywords: &[String]) -> Option<Run> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => told(whole(hir), keywords),
        HirKind::Capture(capture) => best(&capture.sub, keywords),
        HirKind::Repetition(repetition) if repetition.min == 0 => None,
        HirKind::Repetition(repetition) => rarer(told(whole(hir), keywords), best(&repetition.sub, keywords)),
        HirKind::Alternation(parts) => {
            let runs: Option<Vec<Run>> = parts.iter().map(|part| best(part, keywords)).collect();
            let joined = runs.and_then(|runs| runs.into_iter().reduce(|a, b| a.with(b.set, a.size.min(b.size))));
            rarer(told(whole(hir), keywords), joined.and_then(|run| told(run, keywords)))
        }
        HirKind::Concat(parts) => {
            let mut found = parts.iter().map(|part| best(part, keywords)).fold(None, rarer);
            for from in 0..parts.len() {
                let mut run = Run { set: Set::default(), size: 0 };
                for part in &parts[from..] {
                    let next = whole(part);
                    run = run.with(next.set, run.size + next.size);
                    found = rarer(found, told(run, keywords));
                }
            }
            found
        }
    }
}

fn rarer(a: Option<Run>, b: Option<Run>) -> Option<Run> {
    a.into_iter().chain(b).max_by(|a, b| a.rarity().total_cmp(&b.rarity()))
}

/// A whole match as a run.
fn whole(hir: &Hir) -> Run {
    Run { set: bytes(hir), size: hir.properties().minimum_len().unwrap_or(0) }
}

/// The run, if it says something: if no keyword has it, in whatever case.
fn told(run: Run, keywords: &[String]) -> Option<Run> {
    let has = |byte: &u8| run.set.has(byte.to_ascii_lowercase()) || run.set.has(byte.to_ascii_uppercase());
    let is_in = |keyword: &String| keyword.as_bytes().windows(run.size).any(|window| window.iter().all(has));
    (run.size > 0 && !keywords.iter().any(is_in)).then_some(run)
}

/// All bytes that may be in a match.
fn bytes(hir: &Hir) -> Set {
    let mut set = Set::default();
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| add(&mut set, byte)),
        HirKind::Class(class) => set = members(class),
        HirKind::Capture(capture) => set = bytes(&capture.sub),
        HirKind::Repetition(repetition) => set = bytes(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| join(&mut set, bytes(part)))
        }
    }
    set
}

fn single(byte: u8) -> Set {
    let mut set = Set::default();
    add(&mut set, byte);
    set
}

fn members(class: &Class) -> Set {
    let mut set = Set::default();
    match class {
        Class::Bytes(class) => {
            class.iter().for_each(|range| (range.start()..=range.end()).for_each(|b| add(&mut set, b)))
        }
        // Not of a pattern without Unicode, but it may be anything.
        Class::Unicode(_) => set = Set([u64::MAX; 4]),
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hir(pattern: &str) -> Hir {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).expect("a pattern")
    }

    fn set(bytes: &str) -> Set {
        let mut set = Set::default();
        bytes.bytes().for_each(|byte| add(&mut set, byte));
        set
    }

    #[test]
    fn the_first_bytes_are_those_of_the_pattern() {
        assert_eq!(starts(&hir(r"\bab(?<secret>[01]{2})c?")), [set("a"), set("b"), set("01"), set("01")]);
        assert_eq!(starts(&hir("x(?:a|bc){1,2}yz")), [set("x"), set("ab"), set("acby"), set("yzcab")]);
        assert_eq!(starts(&hir("a[^x]{3}")), [set("a")]);
        assert_eq!(starts(&hir("[0-9]{100}")).len(), PLACES);
        assert_eq!(starts(&hir("(?:ab){0,3}c")), [set("ac")]);
    }

    #[test]
    fn the_rarest_run_is_told() {
        let told = |pattern: &str, keywords: &[&str]| {
            let keywords: Vec<String> = keywords.iter().map(|&keyword| keyword.to_owned()).collect();
            run(&hir(pattern), &keywords).map(|run| (run.set, run.size))
        };
        let hex = set("0123456789abcdef");
        assert_eq!(told(r"(?i:token)[ =]{1,9}(?<secret>[0-9a-f]{40})\b", &["token"]), Some((hex, 40)));
        assert_eq!(told("(?:[0-9a-f]{32}|[0-9a-f]{20,24})-us", &["-us"]), Some((hex, 20)));
        assert_eq!(told("token", &["token"]), None);
        assert_eq!(told("tokens?[^x]{9}", &["token"]), None);
        assert_eq!(told("[0-9]{200}", &["x"]).map(|(_, size)| size), Some(LONGEST));
    }
}
