//! The dashboard asks for metrics that there are, and leaves none out.

use std::collections::BTreeSet;

use lazaret::telemetry::metrics::{ALL, Kind};

use super::json;

#[test]
fn every_metric_is_shown_and_every_shown_metric_exists() {
    let dashboard = json("grafana/lazaret.json");
    let mut known = BTreeSet::new();
    for &(name, kind, ..) in ALL {
        match kind {
            Kind::Histogram => known.insert(format!("{name}_bucket")),
            _ => known.insert(name.to_owned()),
        };
    }
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
            for name in names {
                assert!(known.contains(name), "{title}: no metric {name}");
                let counter = name.ends_with("_total") || name.ends_with("_bucket");
                assert_eq!(counter, query.contains("rate(") || query.contains("increase("), "{title}: {query}");
                shown.insert(name.to_owned());
            }
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
        }
    }
    assert_eq!(shown, known, "a metric that nobody sees");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "ids of panels are unique");
}
