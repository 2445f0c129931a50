//! OSV records, whole and odd.

use super::*;

fn read(json: &str) -> Advisory<'_> {
    parse(json.as_bytes()).expect("a record").advisory
}

#[test]
fn reads_every_field_that_counts() {
    let advisory = read(
        r#"{"id":"X-1","modified":"2024-01-01T00:00:00Z","withdrawn":"2024-02-01T00:00:00Z","summary":"Important: nodejs:16 security update",
        "aliases":["CVE-1"],"upstream":["CVE-2"],"related":["CVE-3"],
        "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},{"type":"Ubuntu","score":"low"}],
        "affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"nodejs"},"versions":["1"],
          "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:16.1-1.module_el9.1.0+3"},{"limit":"*"}]},{"type":"GIT","events":[{"introduced":"0"}]}],
          "ecosystem_specific":{"urgency":"high"}}]}"#,
    );
    assert!(advisory.withdrawn);
    assert_eq!(advisory.severity.vectors.len(), 1);
    assert_eq!(advisory.severity.word.as_deref(), Some("low"));
    let affected = &advisory.affected[0];
    assert_eq!(affected.module.as_deref(), Some("nodejs:16"));
    assert_eq!(affected.severity.word.as_deref(), Some("high"));
    assert_eq!(affected.ranges.len(), 1);
    let kinds: Vec<_> = affected.ranges[0].events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Introduced, EventKind::Fixed]);
}

#[test]
fn forgives_what_sources_get_wrong() {
    let advisory = read(
        r#"{"id":"X","aliases":null,"severity":null,"summary":7,"database_specific":["severity"],"affected":[
        {"package":{"ecosystem":"FutureEco:1","name":"p"},"ranges":{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]},
         "database_specific":"x","ecosystem_specific":{"severity":[{"a":1}],"urgency":"low"}},
        {"ranges":[{"type":"GIT","events":[]}]},{"package":null}]}"#,
    );
    assert_eq!(advisory.affected.len(), 1);
    assert_eq!(advisory.affected[0].ranges[0].events.len(), 2);
    assert_eq!(advisory.affected[0].severity.word.as_deref(), Some("low"));
}

#[test]
fn refuses_what_is_no_record() {
    for json in ["", "[]", "7", "{}", r#"{"id":""}"#, "{\"id\":\"X\"", &"[".repeat(100_000)] {
        assert!(parse(json.as_bytes()).is_err(), "{json:.20}");
    }
}
