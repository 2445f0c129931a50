//! The dashboard asks for metrics that there are, and leaves none out.

use std::collections::BTreeSet;

use lazaret::telemetry::metrics::{ALL, Kind};

use super::json;

#[test]
fn every_metric_is_shown_and_every_shown_metric_exists() {
    let dashboard = json("grafana/lazaret.json");
    let mut shown = BTreeSet::new();
    let panels = dashboard["panels"].as_array().expect("panels");
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{title}");
        for target in panel["targets"].as_array().expect("targets") {
            let query = target["expr"].as_str().expect("a query");
            let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let names: Vec<_> = words.filter(|word| word.starts_with("lazaret_")).collect();
            assert!(!names.is_empty(), "{title}: {query}");
            for series in names {
                let metric = ALL.iter().find(|&&(name, kind, ..)| match kind {
                    Kind::Histogram => series.strip_prefix(name).is_some_and(|rest| matches!(rest, "_bucket" | "_sum")),
                    _ => series == name,
                });
                let &(name, kind, ..) = metric.unwrap_or_else(|| panic!("{title}: no metric {series}"));
                let grows = kind != Kind::Gauge;
                assert_eq!(grows, query.contains("rate(") || query.contains("increase("), "{title}: {query}");
                shown.insert(name);
            }
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
        }
    }
    let all: BTreeSet<_> = ALL.iter().map(|&(name, ..)| name).collect();
    assert_eq!(shown, all, "a metric that nobody sees");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "ids of panels are unique");
}
