//! Secrets of every rule in every carrier that their format allows: how many are found, and how many by their own rule.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use lazaret::exposure::Exposure;
use lazaret::path::LayerPath;
use lazaret_tests::support::template::Made;
use lazaret_worker::secrets;

use super::carriers::{Carried, Carry, ENCODINGS, SETTINGS, TEXTS, VALUES, carried, setting};
use super::rules;

/// The share of the secrets that are found at least.
const RECALL: f64 = 0.97;
/// And of those the share that their own rule finds.
const NAMED: f64 = 0.97;

/// How many there are, are found, and are found by their own rule; and how much else is found in the same files.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub all: usize,
    pub found: usize,
    pub named: usize,
    pub stray: usize,
}

impl Score {
    fn add(&mut self, other: Score) {
        self.all += other.all;
        self.found += other.found;
        self.named += other.named;
        self.stray += other.stray;
    }

    pub fn recall(self) -> f64 {
        self.found as f64 / self.all as f64
    }
}

/// The scores by vendor, by rule and by carrier.
#[derive(Default)]
pub struct Scores {
    vendors: BTreeMap<String, Score>,
    rules: BTreeMap<String, Score>,
    carriers: BTreeMap<String, Score>,
    missed: Vec<String>,
    pub total: Score,
}

impl Scores {
    fn count(&mut self, vendor: &str, rule: &str, carrier: String, file: &Carried) {
        let pieces = file.bytes.chunks(64 << 10);
        let found = secrets::file(&LayerPath::from(file.path), file.bytes.len() as u64, pieces);
        let is_there = |exposure: &&Exposure| {
            exposure.dismissed.is_none() && (file.lines.0..=file.lines.1).contains(&exposure.line)
        };
        let there: Vec<&Exposure> = found.iter().filter(is_there).collect();
        let score = Score {
            all: 1,
            found: usize::from(!there.is_empty()),
            named: usize::from(there.iter().any(|exposure| exposure.rule == rule)),
            stray: found.iter().filter(|exposure| exposure.dismissed.is_none()).count() - there.len(),
        };
        if score.named == 0 {
            let told: Vec<String> = found
                .iter()
                .map(|found| format!("{}{}", found.rule, found.dismissed.as_deref().unwrap_or_default()))
                .collect();
            self.missed.push(format!("{rule} in {carrier}: {told:?}"));
        }
        for (scores, key) in [(&mut self.vendors, vendor), (&mut self.rules, rule), (&mut self.carriers, &carrier)] {
            scores.entry(key.to_owned()).or_default().add(score);
        }
        self.total.add(score);
    }

    fn print(&self) {
        let mut out = io::stderr().lock();
        let mut table = |title: &str, scores: &BTreeMap<String, Score>, all: bool| {
            let _ = writeln!(out, "\n{title:<44} {:>6} {:>6} {:>6} {:>7}", "all", "found", "named", "recall");
            for (name, score) in scores.iter().filter(|(_, score)| all || score.named < score.all) {
                let Score { all, found, named, .. } = score;
                let _ = writeln!(out, "{name:<44} {all:>6} {found:>6} {named:>6} {:>7.3}", score.recall());
            }
        };
        table("VENDOR", &self.vendors, true);
        table("RULE, where one is missed", &self.rules, false);
        table("CARRIER", &self.carriers, true);
        if std::env::var_os("LAZARET_LABELLED_MISSES").is_some() {
            for miss in &self.missed {
                let _ = writeln!(out, "{miss}");
            }
        }
        let Score { all, found, named, stray } = self.total;
        let recall = self.total.recall();
        let _ = writeln!(
            out,
            "\n{all} secrets, {found} found (recall {recall:.4}), {named} by their own rule, {stray} others found"
        );
    }
}

/// All of them, searched for.
pub fn scores() -> Scores {
    let mut scores = Scores::default();
    let mut turn = 0;
    for file in rules::all() {
        for rule in &file.rules {
            let named = rule.examples.iter().find(|example| setting(&Made::of("any").text(example)).is_some());
            let mut number = 0;
            let mut count = |carrier: &str, encoding: usize, carry: Carry, template: &str, is_setting: bool| {
                number += 1;
                let text = Made::of(&format!("labelled {} {number}", rule.id)).text(template);
                let (name, value) = if is_setting { setting(&text).unwrap_or_default() } else { ("", text.as_str()) };
                if !value.is_empty() {
                    let (title, encode) = ENCODINGS[encoding];
                    let file_of_it = carried(carry, encode, name, value);
                    scores.count(&file.vendor, &rule.id, format!("{carrier}, {title}"), &file_of_it);
                }
            };
            if let Some(template) = named {
                for (carrier, carry) in SETTINGS {
                    turn += 1;
                    // Most files are UTF-8.
                    count(carrier, [0, 0, 1, 0, 2][turn % 5], carry, template, true);
                }
                for (carrier, carry) in VALUES.into_iter().filter(|_| rule.is_told_alone()) {
                    count(carrier, 0, carry, template, true);
                }
            }
            for template in &rule.examples {
                turn += 1;
                for (at, (carrier, carry)) in TEXTS.into_iter().enumerate() {
                    // The last is a long one.
                    if at < 2 || turn % 20 == 0 {
                        (0..ENCODINGS.len()).for_each(|encoding| count(carrier, encoding, carry, template, false));
                    }
                }
            }
        }
    }
    scores
}

#[test]
fn secrets_of_every_rule_are_found() {
    let scores = scores();
    scores.print();
    let Score { all, found, named, stray } = scores.total;
    assert!(all >= 5_000, "{all} secrets");
    assert!(scores.total.recall() >= RECALL, "{found} of {all}");
    assert!(named as f64 >= NAMED * found as f64, "{named} of {found}");
    assert!(stray * 1000 <= all, "{stray} others in the files of {all}");
}
