//! The advisories about what the fleet holds, as OSV records; every night there may be more of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::published::CATALOGUE;

/// The OSV records known in the night `night`, counted from 1, sorted by id: the second night has more than the first.
pub fn advisories(night: u32) -> Vec<Value> {
    let mut records: BTreeMap<&str, Value> = BTreeMap::new();
    for published in &CATALOGUE.published {
        for fact in published.advisories.iter().filter(|fact| fact.night <= night) {
            let kind = if published.stream == "npm" { "SEMVER" } else { "ECOSYSTEM" };
            let affected = json!({
                "package": { "ecosystem": published.stream, "name": published.source },
                "ranges": [{
                    "type": kind,
                    "events": [{ "introduced": "0" }, { "fixed": published.versions[fact.fixed] }],
                }],
            });
            let record = records.entry(fact.id).or_insert_with(|| {
                let mut record = json!({
                    "schema_version": "1.7.0",
                    "id": fact.id,
                    "modified": format!("2024-09-{:02}T00:00:00Z", 14 + fact.night),
                    "summary": format!("{}: versions before {}", published.source, published.versions[fact.fixed]),
                    "affected": [],
                });
                if !fact.cve.is_empty() {
                    // A distribution's record is about an upstream vulnerability; a registry's is another name of it.
                    let link = if published.stream.contains(':') { "upstream" } else { "aliases" };
                    record[link] = json!([fact.cve]);
                }
                if !fact.vector.is_empty() {
                    record["severity"] = json!([{ "type": "CVSS_V3", "score": fact.vector }]);
                }
                record
            });
            if let Some(all) = record["affected"].as_array_mut() {
                all.push(affected);
            }
        }
    }
    records.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_night_brings_news_and_takes_nothing_back() {
        let (first, second) = (advisories(1), advisories(2));
        assert!(first.len() > 100 && second.len() > first.len() * 11 / 10, "{} and {}", first.len(), second.len());
        assert!(first.iter().all(|record| second.contains(record)), "a record of the first night changed");
    }
}
