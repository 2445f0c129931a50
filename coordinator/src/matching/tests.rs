//! Matching against snapshots of a few made-up records.

use lazaret::package::SourcePackage;

use super::*;
use crate::advisory::compile;

const V3: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

fn record(id: &str, more: &str, ecosystem: &str, name: &str, events: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z",{more}"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},
        "ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]}}]}}"#
    )
}

fn matched(records: &[String], packages: &[Package], os: Option<(&str, &str)>) -> Matches {
    let directory = tempfile::tempdir().unwrap();
    for (number, record) in records.iter().enumerate() {
        std::fs::write(directory.path().join(format!("{number}.json")), record).unwrap();
    }
    let out = directory.path().join("out.snapshot");
    let summary = compile(&[directory.path().to_owned()], &out).unwrap();
    assert_eq!(summary.bad_records, []);
    let os = os.map(|(id, version)| OsRelease { id: id.into(), version_id: version.into(), ..OsRelease::default() });
    let packages: Vec<&Package> = packages.iter().collect();
    find(&packages, os.as_ref(), &Snapshot::open(&out).unwrap()).unwrap()
}

const FIXED: &str = r#"{"introduced":"0"},{"fixed":"2.0"}"#;

#[test]
fn one_row_for_each_vulnerability_with_all_its_names() {
    let records = [
        record("PYSEC-1", r#""aliases":["CVE-1"],"#, "PyPI", "thing", FIXED),
        record("GHSA-1", r#""aliases":["CVE-1"],"database_specific":{"severity":"MODERATE"},"#, "PyPI", "thing", FIXED),
        record("PYSEC-2", r#""related":["CVE-1"],"#, "PyPI", "thing", r#"{"introduced":"0"},{"fixed":"1.5"}"#),
        record("PYSEC-3", r#""upstream":["CVE-1","CVE-2"],"#, "PyPI", "thing", FIXED),
    ];
    let matches = matched(&records, &[Package::new(Ecosystem::PyPi, "thing", "1.0")], None);
    let rows: Vec<_> = matches.findings.iter().map(|f| (f.id.as_str(), f.ids.join(" "), f.fixed.as_deref())).collect();
    assert_eq!(
        rows,
        [
            ("CVE-1", "CVE-1 GHSA-1 PYSEC-1".to_owned(), Some("2.0")),
            ("PYSEC-2", "PYSEC-2".to_owned(), Some("1.5")),
            ("PYSEC-3", "PYSEC-3".to_owned(), Some("2.0")),
        ]
    );
    assert_eq!(matches.findings[0].severity.level, Level::Medium);
    assert_eq!(matches.findings[0].severity.from.as_deref(), Some("GHSA-1"));
    assert_eq!(matches.findings[2].covers, ["CVE-1", "CVE-2"]);
}

#[test]
fn two_cves_stay_two_rows() {
    let records = [
        record("A-1", r#""aliases":["CVE-1","GHSA-1"],"#, "PyPI", "thing", FIXED),
        record("A-2", r#""aliases":["CVE-2","GHSA-1"],"#, "PyPI", "thing", FIXED),
        record("GHSA-1", "", "PyPI", "thing", FIXED),
    ];
    let matches = matched(&records, &[Package::new(Ecosystem::PyPi, "thing", "1.0")], None);
    let rows: Vec<_> = matches.findings.iter().map(|f| (f.id.as_str(), f.records.join(" "))).collect();
    assert_eq!(rows, [("CVE-1", "A-1 GHSA-1".to_owned()), ("CVE-2", "A-2".to_owned())]);
}

#[test]
fn a_score_is_borrowed_and_its_lender_named() {
    let lender = format!(r#""aliases":["CVE-1"],"severity":[{{"type":"CVSS_V3","score":"{V3}"}}],"#);
    let records = [
        record("DEBIAN-CVE-1", r#""upstream":["CVE-1"],"#, "Debian:12", "thing", FIXED),
        record("GHSA-1", &lender, "PyPI", "other", FIXED),
    ];
    let mut package = Package::new(Ecosystem::Deb, "libthing1", "1:1.0+b1");
    package.source = Some(SourcePackage { name: "thing".into(), version: "1.0".into() });
    let matches = matched(&records, &[package], Some(("debian", "12")));
    let [finding] = matches.findings.as_slice() else { panic!("{matches:?}") };
    assert_eq!((finding.id.as_str(), finding.source.as_str()), ("CVE-1", "thing"));
    assert_eq!((finding.severity.level, finding.severity.from.as_deref()), (Level::Critical, Some("GHSA-1")));
    assert_eq!(matches.coverage.distro, DistroCoverage::Covered(vec!["Debian:12".into()]));
}

#[test]
fn a_module_and_its_stream_count() {
    let module = |id: &str, summary: &str, fix: &str| {
        let events = format!(r#"{{"introduced":"0"}},{{"fixed":"{fix}"}}"#);
        record(id, &format!(r#""summary":"Important: {summary} security update","#), "AlmaLinux:9", "nodejs", &events)
    };
    let records = [
        module("ALSA-1", "nodejs:16", "1:16.20.0-1.module_el9.2.0+1+a"),
        module("ALSA-2", "nodejs:18", "1:18.14.0-1.module_el9.2.0+1+a"),
        module("ALSA-3", "nodejs", "1:16.30.0-1.el9"),
    ];
    let mut modular = Package::new(Ecosystem::Rpm, "nodejs", "1:16.18.1-3.module_el9.1.0+35+60ce9c69");
    modular.module = Some("nodejs:16:9010020221018142312:rhel9".into());
    let plain = Package::new(Ecosystem::Rpm, "nodejs", "1:16.18.1-3.el9");
    let matches = matched(&records, &[modular, plain], Some(("almalinux", "9.3")));
    let rows: Vec<_> = matches.findings.iter().map(|f| (f.package, f.id.as_str(), f.severity.level)).collect();
    assert_eq!(rows, [(0, "ALSA-1", Level::High), (1, "ALSA-3", Level::High)]);
}

#[test]
fn the_fix_satisfies_every_record_that_has_one() {
    let records = [
        record(
            "A-1",
            r#""aliases":["CVE-1"],"#,
            "npm",
            "thing",
            r#"{"introduced":"0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"fixed":"2.5.0"}"#,
        ),
        record("A-2", r#""aliases":["CVE-1"],"#, "npm", "thing", r#"{"introduced":"0"},{"fixed":"1.4.0"}"#),
        record("A-3", r#""aliases":["CVE-1"],"#, "npm", "thing", r#"{"introduced":"0"}"#),
    ];
    let matches = matched(&records, &[Package::new(Ecosystem::Npm, "thing", "1.0.0")], None);
    assert_eq!(matches.findings[0].fixed.as_deref(), Some("1.4.0"));
    assert_eq!(matches.findings[0].all_fixed, ["1.2.0", "1.4.0", "2.5.0"]);
}

#[test]
fn languages_are_asked_under_every_repository_and_spelling() {
    let drupal = "Packagist:https://packages.drupal.org/8";
    let records = [
        record("A-1", "", drupal, "drupal/token", FIXED),
        record("A-2", "", "Packagist", "symfony/http-kernel", r#"{"introduced":"0"},{"fixed":"v6.2.6"}"#),
        record("A-3", "", "NuGet", "Newtonsoft.Json", r#"{"introduced":"0"},{"fixed":"13.0.1"}"#),
        record("A-4", "", "RubyGems", "rack", r#"{"introduced":"0"},{"fixed":"2.2.6.4"}"#),
        record("A-5", "", "RubyGems", "Rack", FIXED),
    ];
    let mut fork = Package::new(Ecosystem::Composer, "symfony/http-kernel", "v6.2.5");
    fork.registry = Some("git".into());
    let packages = [
        Package::new(Ecosystem::Composer, "drupal/token", "1.11.0"),
        Package::new(Ecosystem::Composer, "symfony/http-kernel", "v6.2.5"),
        Package::new(Ecosystem::Composer, "symfony/http-kernel", "6.2.6"),
        fork,
        Package::new(Ecosystem::NuGet, "newtonsoft.json", "13.0.1-beta2"),
        Package::new(Ecosystem::Gem, "rack", "2.2.6.pre"),
    ];
    let matches = matched(&records, &packages, None);
    let rows: Vec<_> = matches.findings.iter().map(|f| (f.package, f.id.as_str())).collect();
    assert_eq!(rows, [(0, "A-1"), (1, "A-2"), (4, "A-3"), (5, "A-4")]);
}

#[test]
fn a_revision_of_bitnami_is_no_pre_release() {
    let records = [record("A-1", "", "Bitnami", "redis", r#"{"introduced":"0"},{"fixed":"7.4.2"}"#)];
    let packages = ["7.4.2-0", "7.4.1-3"].map(|version| Package::new(Ecosystem::Bitnami, "redis", version));
    let matches = matched(&records, &packages, None);
    assert_eq!(matches.findings.iter().map(|finding| finding.package).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_named_branch_is_undecided() {
    let records = [record("A-1", "", "Packagist", "acme/ui", FIXED)];
    let matches = matched(&records, &[Package::new(Ecosystem::Composer, "acme/ui", "dev-main")], None);
    assert_eq!((matches.findings.len(), matches.undecided.len()), (0, 1), "{matches:?}");
}

#[test]
fn listed_versions_survive_where_ranges_do_not_hold_them() {
    let events = r#"[{"introduced":"0"},{"fixed":"2.0"}]"#;
    let record = format!(
        r#"{{"id":"X-1","affected":[{{"package":{{"ecosystem":"Debian:12","name":"thing"}},
        "ranges":[{{"type":"ECOSYSTEM","events":{events}}}],"versions":["1.0","1.5","7.0"]}}]}}"#
    );
    let packages = ["1.0", "1.7", "2.0", "7.0"].map(|version| Package::new(Ecosystem::Deb, "thing", version));
    let matches = matched(&[record], &packages, Some(("debian", "12")));
    assert_eq!(matches.findings.iter().map(|finding| finding.package).collect::<Vec<_>>(), [0, 1, 3]);
}

#[test]
fn what_is_not_covered_says_so() {
    let records = [record("PYSEC-1", "", "PyPI", "thing", FIXED)];
    let packages = [
        Package::new(Ecosystem::PyPi, "thing", "what is this"),
        Package::new(Ecosystem::Cargo, "thing", "1.0.0"),
        Package::new(Ecosystem::Deb, "thing", "1.0"),
    ];
    let matches = matched(&records, &packages, Some(("debian", "12")));
    assert_eq!(matches.undecided.len(), 1);
    assert_eq!((matches.undecided[0].package, &matches.undecided[0].advisories), (0, &vec!["PYSEC-1".to_owned()]));
    assert_eq!(matches.coverage.distro, DistroCoverage::Uncovered(vec!["Debian:12".into()]));
    assert_eq!(
        matches.coverage.uncovered.into_iter().collect::<Vec<_>>(),
        [(Ecosystem::Deb, 1), (Ecosystem::Cargo, 1)]
    );

    let os = OsRelease { id: "debian".into(), version_id: "12".into(), ..OsRelease::default() };
    let packages: Vec<&Package> = packages.iter().collect();
    let archives: Vec<String> = coverage::archives(&packages, Some(&os)).into_iter().collect();
    assert_eq!(archives, ["Debian", "PyPI", "crates.io"]);
}

/// The form of <https://github.com/ossf/malicious-packages>: every version, or those that somebody slipped in, and no severity.
#[test]
fn a_malicious_package_is_critical_and_no_vulnerability() {
    let all = record(
        "MAL-2024-1",
        r#""summary":"Malicious code in thing (npm)","database_specific":{"malicious-packages-origins":[{"source":"ghsa-malware","versions":["1.0"]}]},"#,
        "npm",
        "thing",
        r#"{"introduced":"0"}"#,
    );
    let listed = r#"{"id":"MAL-2024-2","modified":"2024-01-01T00:00:00Z","aliases":["GHSA-2"],"affected":[
        {"package":{"ecosystem":"PyPI","name":"other"},"versions":["2.0","2.1"],
         "database_specific":{"cwes":[{"cweId":"CWE-506","name":"Embedded Malicious Code"}]}}]}"#;
    let withdrawn =
        record("MAL-2024-3", r#""withdrawn":"2024-02-01T00:00:00Z","#, "npm", "thing", r#"{"introduced":"0"}"#);
    let rated = record(
        "GHSA-2",
        r#""aliases":["MAL-2024-2"],"database_specific":{"severity":"LOW"},"#,
        "PyPI",
        "other",
        r#"{"introduced":"2.0"},{"fixed":"2.2"}"#,
    );
    let packages = [
        Package::new(Ecosystem::Npm, "thing", "no version at all"),
        Package::new(Ecosystem::PyPi, "other", "2.0"),
        Package::new(Ecosystem::PyPi, "other", "1.9"),
    ];
    let matches = matched(&[all, listed.to_owned(), withdrawn, rated], &packages, None);
    let rows: Vec<_> =
        matches.findings.iter().map(|f| (f.package, f.id.as_str(), f.is_malicious, f.fixed.as_deref())).collect();
    assert_eq!(rows, [(0, "MAL-2024-1", true, None), (1, "MAL-2024-2", true, Some("2.2"))]);
    assert_eq!(matches.findings[1].records, ["GHSA-2", "MAL-2024-2"]);
    for finding in &matches.findings {
        assert_eq!(
            (finding.severity.level, finding.severity.from.as_deref()),
            (Level::Critical, Some(finding.id.as_str()))
        );
    }
    assert_eq!(matches.undecided, []);
}
