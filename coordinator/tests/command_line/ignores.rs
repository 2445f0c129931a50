//! Ignore files: what is suppressed stays visible, and what no longer holds is an error.

use super::place::Place;

#[test]
fn what_is_suppressed_stays_visible() {
    let place = Place::new();
    let file = place.write(
        "ignores.toml",
        "[[ignore]]\nid = \"CVE-2019-14234\"\nreason = \"no JSONField here\"\nexpires = \"2999-12-31\"\n\
         [[ignore]]\nid = \"GHSA-w457-6q6x-cgp9\"\npackage = \"handlebars\"\nreason = \"templates are ours\"\n\
         [[ignore]]\nid = \"CVE-2019-10744\"\npackage = \"another\"\nreason = \"of another package\"\n",
    );
    let table = place.run(&["scan", "--ignore-file", &file]).expect(0).stdout;
    assert!(
        table.contains("suppressed until 2999-12-31: CVE-2019-14234 in django 2.2: no JSONField here\n"),
        "{table}"
    );
    assert!(table.contains("suppressed: CVE-2019-19919 in handlebars 4.0.11: templates are ours\n"), "{table}");
    assert!(
        table.contains("33 packages, 10 findings (2 critical, 4 high, 1 medium, 3 unknown), 0 exposures, 2 suppressed"),
        "{table}"
    );
    let report = place.run(&["scan", "--ignore-file", &file, "--format", "json"]).expect(0).json();
    assert_eq!(report["suppressed"].as_array().unwrap().len(), 2);
    assert_eq!(report["findings"].as_array().unwrap().len(), 10);
    let arguments = ["scan", "--ignore-file", &file, "--severity", "critical", "--fail-on", "critical"];
    place.run(&arguments).expect(1);
}

#[test]
fn what_is_suppressed_does_not_fail() {
    let place = Place::new();
    let file = place.write("ignores.toml", "[[ignore]]\nid = \"CVE-2018-16487\"\nreason = \"merge is not called\"\n");
    let arguments = ["scan", "--severity", "medium", "--fail-on", "medium"];
    place.run(&arguments).expect(1);
    place.run(&[&arguments[..], &["--ignore-file", &file]].concat()).expect(0);
}

#[test]
fn what_cannot_hold_is_an_error() {
    let place = Place::new();
    for (content, said) in [
        ("[[ignore]]\nid = \"CVE-1\"\nreason = \"r\"\nexpires = \"2020-01-31\"\n", "CVE-1 (expired on 2020-01-31)"),
        ("[[ignore]]\nid = \"CVE-1\"\nreason = \"r\"\nexpires = \"soon\"\n", "write YYYY-MM-DD"),
        ("[[ignore]]\nid = \"CVE-1\"\nreason = \" \"\n", "gives no reason"),
        ("[[ignore]]\nid = \"CVE-1\"\n", "missing field `reason`"),
        ("[[ignore]]\nid = \"CVE-1\"\nreason = \"r\"\nuntil = \"2999-01-01\"\n", "unknown field `until`"),
        ("ignore", "malformed ignore file"),
    ] {
        let file = place.write("ignores.toml", content);
        let ran = place.run(&["scan", "--ignore-file", &file]).expect(2);
        assert!(ran.stderr.contains(said), "{content}: {}", ran.stderr);
        assert!(ran.stderr.contains("ignores.toml"), "{content}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    let ran = place.run(&["scan", "--ignore-file", "missing.toml"]).expect(2);
    assert!(ran.stderr.contains("cannot read missing.toml"), "{}", ran.stderr);
}
