//! Joins the records that are about one vulnerability into one row.

use std::collections::BTreeMap;

use super::identity::{is_cve, names};
use super::lookup::Record;

/// The rows of one package: records that share a name, by the rules of [`super::identity`]. No row joins two CVEs, even
/// where a third record claims to be an alias of both.
pub(super) fn rows(records: Vec<Record<'_>>) -> Vec<Vec<Record<'_>>> {
    let mut groups = Groups::new(records.len());
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        for name in names(&record.advisory) {
            by_name.entry(name).or_default().push(place);
            if is_cve(name) {
                groups.cve.insert(place, name.to_owned());
            }
        }
    }
    // CVEs first, so that what else records share cannot keep apart what has one number.
    let (cves, others): (Vec<_>, Vec<_>) = by_name.into_iter().partition(|(name, _)| is_cve(name));
    for (_, places) in cves.into_iter().chain(others) {
        // With the first of them only: what it refuses is about another CVE and has a group of its own.
        if let Some((&first, rest)) = places.split_first() {
            for &place in rest {
                groups.join(first, place);
            }
        }
    }
    let mut rows: BTreeMap<usize, Vec<Record<'_>>> = BTreeMap::new();
    for (place, record) in records.into_iter().enumerate() {
        rows.entry(groups.root(place)).or_default().push(record);
    }
    rows.into_values().collect()
}

/// Which records are one, and the CVE of each group under its root.
struct Groups {
    parents: Vec<usize>,
    cve: BTreeMap<usize, String>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect(), cve: BTreeMap::new() }
    }

    fn root(&mut self, mut place: usize) -> usize {
        while let Some(&parent) = self.parents.get(place).filter(|&&parent| parent != place) {
            // Halve the way for the next one who asks.
            if let Some(&above) = self.parents.get(parent) {
                self.parents[place] = above;
            }
            place = parent;
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        match (self.cve.get(&low), self.cve.get(&high)) {
            (Some(one), Some(other)) if one != other => return,
            (None, Some(other)) => {
                let other = other.clone();
                self.cve.insert(low, other);
            }
            _ => {}
        }
        if let Some(parent) = self.parents.get_mut(high) {
            *parent = low;
        }
    }
}
