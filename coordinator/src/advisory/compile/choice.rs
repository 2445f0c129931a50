//! Which of several records with one id counts: for each ecosystem the one that was modified last.
//!
//! A record is found several times where it concerns several ecosystems, where two downloads differ in age, and where two
//! sources use one id for statements about different ecosystems (a CVE number, mostly). So the choice is made for each
//! ecosystem by itself, and nothing that only one of them says is lost.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::advisory::compile::Summary;
use crate::advisory::feed::Parsed;
use crate::advisory::record::Affected;
use crate::advisory::{layout, name};
use crate::matching::range::{Installed, Verdict};
use crate::matching::{self, identity};

/// One record in the form in which it is written, so that thousands of them fit into memory.
pub(super) struct Record {
    pub(super) id: Box<str>,
    /// When it was modified; `None`, which is before everything, where the date cannot be read.
    modified: Option<jiff::Timestamp>,
    /// The BLAKE3 of the record as it came.
    pub(super) content: [u8; 32],
    pub(super) withdrawn: bool,
    pub(super) git_ranges: u64,
    /// Its head, see [`layout::put_head`].
    pub(super) head: Box<[u8]>,
    pub(super) entries: Vec<Entry>,
    /// The names under which its CVSS vector is lent to records that have none; empty where it has none.
    pub(super) lends_to: Vec<Box<str>>,
}

/// What a record says about one package.
pub(super) struct Entry {
    pub(super) ecosystem: Box<str>,
    /// Normalised.
    pub(super) name: Box<str>,
    pub(super) ranges: u64,
    /// See [`layout::put_affected`].
    pub(super) bytes: Box<[u8]>,
}

impl Record {
    pub(super) fn new(parsed: &Parsed<'_>, content: blake3::Hash) -> Self {
        let advisory = &parsed.advisory;
        let mut head = Vec::new();
        layout::put_head(&mut head, advisory);
        let mut lends_to = Vec::new();
        if !advisory.severity.vectors.is_empty() {
            lends_to.extend(identity::names(advisory).map(Box::from));
        }
        Self {
            id: advisory.id.as_ref().into(),
            modified: advisory.modified.parse().ok(),
            content: content.into(),
            withdrawn: advisory.withdrawn,
            git_ranges: parsed.git_ranges as u64,
            head: head.into(),
            entries: advisory.affected.iter().map(Entry::new).collect(),
            lends_to,
        }
    }
}

impl Entry {
    fn new(affected: &Affected<'_>) -> Self {
        let mut bytes = Vec::new();
        layout::put_affected(&mut bytes, &without_redundancy(affected));
        Self {
            ecosystem: affected.ecosystem.as_ref().into(),
            name: name::normalise(&affected.ecosystem, &affected.name).into(),
            ranges: affected.ranges.len() as u64,
            bytes: bytes.into(),
        }
    }
}

/// Without the listed versions that the ranges hold anyway: sources spell out every version of a range, for Ubuntu many
/// gigabytes of them. What `versions` adds to the ranges stays, and so does what cannot be read.
///
/// A change of a version scheme's order moves [`layout::VERSION`], since what was left out was left out by that order.
fn without_redundancy<'a>(affected: &'a Affected<'a>) -> Cow<'a, Affected<'a>> {
    let Some(scheme) = matching::scheme(name::base(&affected.ecosystem)) else { return Cow::Borrowed(affected) };
    if affected.versions.is_empty() || affected.ranges.is_empty() {
        return Cow::Borrowed(affected);
    }
    let mut rest = affected.clone();
    let versions = std::mem::take(&mut rest.versions);
    rest.versions = versions
        .into_iter()
        .filter(|version| Installed::new(scheme, version).judge(&rest) != Verdict::Affected)
        .collect();
    Cow::Owned(rest)
}

/// All records that were read.
#[derive(Default)]
pub(super) struct Choice {
    records: Vec<Record>,
}

impl Choice {
    pub(super) fn offer(&mut self, record: Record) {
        self.records.push(record);
    }

    /// The records that count, by id and content, each with the entries for which it is the one.
    pub(super) fn settle(mut self, summary: &mut Summary) -> Vec<Record> {
        let offered = self.records.len();
        self.records.sort_unstable_by(|a, b| (&a.id, a.content).cmp(&(&b.id, b.content)));
        self.records.dedup_by(|a, b| a.id == b.id && a.content == b.content);
        for namesakes in self.records.chunk_by_mut(|a, b| a.id == b.id).filter(|records| records.len() > 1) {
            settle_namesakes(namesakes);
        }
        // What lost everywhere is dropped; what never named a package is kept once, for the severity that it may lend.
        self.records.retain(|record| !record.entries.is_empty() || !record.lost());
        summary.replaced = (offered - self.records.len()) as u64;
        self.records
    }
}

impl Record {
    /// A loser keeps no head.
    fn lost(&self) -> bool {
        self.head.is_empty()
    }
}

fn settle_namesakes(records: &mut [Record]) {
    let mut newest: BTreeMap<Box<str>, usize> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        // A record without packages stands in a group of its own, "".
        let bases = record.entries.iter().map(|entry| name::base(&entry.ecosystem));
        for base in bases.chain(record.entries.is_empty().then_some("")) {
            let age = |place: usize| records.get(place).map(|record| (record.modified, record.content));
            match newest.get_mut(base) {
                Some(best) if age(*best) >= age(place) => {}
                Some(best) => *best = place,
                None => {
                    newest.insert(base.into(), place);
                }
            }
        }
    }
    for (place, record) in records.iter_mut().enumerate() {
        let wins = |base: &str| newest.get(base) == Some(&place);
        let had_packages = !record.entries.is_empty();
        record.entries.retain(|entry| wins(name::base(&entry.ecosystem)));
        if record.entries.is_empty() && (had_packages || !wins("")) {
            record.head = Box::default();
            record.lends_to.clear();
        }
    }
}
