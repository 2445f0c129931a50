//! A finding: one vulnerability of one package, from all the records that are about it.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use super::identity::{is_cve, is_malicious, names};
use super::lookup::Record;
use super::range::{Installed, Verdict};
use super::severity::{Level, Opinion, Severity, weigh};
use crate::advisory::record::EventKind;
use crate::advisory::{Snapshot, SnapshotError};

/// One vulnerability of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The index of the package.
    pub package: usize,
    /// The name to call it by: its CVE where it has just one, else that of a malicious package, else its first GHSA, else its
    /// first record.
    pub id: String,
    /// All its names, sorted: the records', their aliases, their single upstream CVE.
    pub ids: Vec<String>,
    /// The ids of the records that matched, sorted.
    pub records: Vec<String>,
    /// What an erratum about several vulnerabilities covers, or is related to: CVEs mostly, sorted. They are no names of
    /// this finding.
    pub covers: Vec<String>,
    /// The ecosystem in which the first record stands: `Debian:12`.
    pub ecosystem: String,
    /// The name under which the first record knows the package: the source package for Debian, the origin for Alpine.
    pub source: String,
    /// How bad it is.
    pub severity: Severity,
    /// The package is no victim of a vulnerability, but malware itself: nothing fixes it.
    pub is_malicious: bool,
    /// The lowest version above the installed one that no record which names a fix calls affected.
    pub fixed: Option<String>,
    /// Every fix above the installed version, in order.
    pub all_fixed: Vec<String>,
    /// One line for people; may be empty.
    pub summary: String,
    /// When the first record was published, as written; may be empty.
    pub published: String,
}

/// The finding of a row of records, which is not empty.
pub(super) fn finding(
    package: usize,
    is_os: bool,
    row: &[Record<'_>],
    snapshot: &Snapshot,
) -> Result<Finding, SnapshotError> {
    let mut ids = BTreeSet::new();
    let mut covers = BTreeSet::new();
    for Record { advisory, .. } in row {
        ids.extend(names(advisory).map(str::to_owned));
        ids.extend(advisory.aliases.iter().map(ToString::to_string));
        covers.extend(advisory.upstream.iter().chain(&advisory.related).map(ToString::to_string));
    }
    covers.retain(|id| !ids.contains(id));
    let records: Vec<String> = row.iter().map(|record| record.advisory.id.to_string()).collect();
    let all_fixed = fixes(row);
    let malicious = ids.iter().find(|id| is_malicious(id)).cloned();
    Ok(Finding {
        package,
        id: primary(&ids, &records),
        is_malicious: malicious.is_some(),
        severity: match malicious {
            // Sources rate it as a vulnerability, or not at all.
            Some(id) => Severity { level: Level::Critical, from: Some(id), ..Severity::default() },
            None => severity(is_os, row, &ids, snapshot)?,
        },
        ids: ids.into_iter().collect(),
        covers: covers.into_iter().collect(),
        ecosystem: row.first().map(|record| record.ecosystem.to_owned()).unwrap_or_default(),
        source: row.first().map(|record| record.name.clone()).unwrap_or_default(),
        fixed: fix(row, &all_fixed),
        all_fixed,
        summary: first_text(row.iter().map(|record| record.advisory.summary.as_ref())),
        published: first_text(row.iter().map(|record| record.advisory.published.as_ref())),
        records,
    })
}

/// With several CVEs none of them is its name.
fn primary(ids: &BTreeSet<String>, records: &[String]) -> String {
    let mut cves = ids.iter().filter(|id| is_cve(id));
    let id = match (cves.next(), cves.next()) {
        (Some(cve), None) => Some(cve),
        (None, _) => {
            let of_malware = ids.iter().find(|id| is_malicious(id));
            of_malware.or_else(|| ids.iter().find(|id| id.starts_with("GHSA-")))
        }
        _ => None,
    };
    id.or(records.first()).cloned().unwrap_or_default()
}

/// From the records of the row, else from any record of the snapshot that shares a name and has a score.
fn severity(
    is_os: bool,
    row: &[Record<'_>],
    ids: &BTreeSet<String>,
    snapshot: &Snapshot,
) -> Result<Severity, SnapshotError> {
    let entries = row.iter().flat_map(|record| record.entries.iter().map(move |entry| (record, &entry.severity)));
    let here: Vec<Opinion<'_>> =
        entries.map(|(record, severity)| Opinion { record: &record.advisory.id, severity }).collect();
    let own: Vec<Opinion<'_>> =
        row.iter().map(|record| Opinion { record: &record.advisory.id, severity: &record.advisory.severity }).collect();
    for opinions in [here, own] {
        let severity = weigh(&opinions, is_os);
        if severity.level != Level::Unknown {
            return Ok(severity);
        }
    }
    let mut lenders = Vec::new();
    // A row about several CVEs borrows from none of them.
    if ids.iter().filter(|id| is_cve(id)).count() <= 1 {
        for id in ids {
            lenders.extend(snapshot.lenders(id)?);
        }
    }
    lenders.sort_by(|a, b| a.id.cmp(&b.id));
    // Of strangers only the score counts: another distribution's word is about another build.
    for lender in &mut lenders {
        lender.severity.word = None;
    }
    let opinions: Vec<Opinion<'_>> =
        lenders.iter().map(|lender| Opinion { record: &lender.id, severity: &lender.severity }).collect();
    Ok(weigh(&opinions, false))
}

/// Every fix above the installed version, lowest first, each version once.
fn fixes(row: &[Record<'_>]) -> Vec<String> {
    let mut fixes: Vec<&str> = Vec::new();
    for record in row {
        let installed = Installed::new(record.scheme, &record.version);
        let events = record.entries.iter().flat_map(|entry| &entry.ranges).flat_map(|range| &range.events);
        let fixed = events.filter(|event| event.kind == EventKind::Fixed).map(|event| event.version.as_ref());
        fixes.extend(fixed.filter(|fix| installed.compare(fix) == Some(Ordering::Greater)));
    }
    fixes.sort_unstable();
    fixes.dedup();
    if let Some(Record { scheme, .. }) = row.first() {
        crate::version::sort(*scheme, &mut fixes);
    }
    fixes.into_iter().map(str::to_owned).collect()
}

/// How many fixes are tried, from the lowest on, before the highest is believed.
const FIXES_TRIED: usize = 64;

/// The first of `fixes` (lowest first) that is good in the eyes of every record that names one at all.
fn fix(row: &[Record<'_>], fixes: &[String]) -> Option<String> {
    let known: HashSet<&str> = fixes.iter().map(String::as_str).collect();
    let names_a_fix = |record: &&Record<'_>| {
        let mut events = record.entries.iter().flat_map(|entry| &entry.ranges).flat_map(|range| &range.events);
        events.any(|event| event.kind == EventKind::Fixed && known.contains(event.version.as_ref()))
    };
    let judges: Vec<&Record<'_>> = row.iter().filter(names_a_fix).collect();
    let good = |fix: &&String| {
        judges.iter().all(|record| {
            let updated = Installed::new(record.scheme, fix);
            record.entries.iter().all(|entry| updated.judge(entry) != Verdict::Affected)
        })
    };
    let lowest = fixes.iter().take(FIXES_TRIED).chain(fixes.iter().skip(FIXES_TRIED).last());
    lowest.into_iter().find(good).cloned()
}

fn first_text<'a>(mut texts: impl Iterator<Item = &'a str>) -> String {
    texts.find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}
