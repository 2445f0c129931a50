//! Documents of both formats, their places, and what hostile ones cost.

use super::*;
use crate::extract::golden;

#[test]
fn golden_cases() {
    golden::check(&INSTALLED);
    golden::check(&DECLARED);
    golden::check(&XML);
}

#[test]
fn places_tell_what_is_installed() {
    for (path, name) in [
        ("opt/bitnami/redis/.spdx-redis.spdx", Some("sbom-installed")),
        ("opt/bitnami/.spdx-redis.spdx", Some("sbom-installed")),
        ("var/lib/db/sbom/bash-5.2.21-r1.spdx.json", Some("sbom-installed")),
        ("layers/sbom/launch/paketo-buildpacks_node-engine/node/sbom.cdx.json", Some("sbom-installed")),
        ("layers/sbom/launch/sbom.spdx.json", Some("sbom-installed")),
        ("layers/sbom/launch/a/sbom.syft.json", None),
        ("usr/share/sbom/app.cdx.json", Some("sbom-installed")),
        ("app/META-INF/sbom/application.cdx.json", Some("sbom")),
        ("app/bom.json", Some("sbom")),
        ("sbom.json", Some("sbom")),
        ("a.spdx.json", Some("sbom")),
        ("opt/bitnami/a/b.spdx", None),
        ("opt/a.spdx", None),
        (".cdx.json", None),
        ("app/xbom.json", None),
        ("app/bom.xml", Some("sbom-xml")),
        ("app/a.cdx.xml", Some("sbom-xml")),
        ("app/project.xml", None),
    ] {
        assert_eq!(crate::extract::claim(path.as_bytes()).map(|e| e.name), name, "{path}");
    }
}

fn read(content: &[u8]) -> Facts {
    (DECLARED.extract)(&ClaimedFile { path: &"app/bom.json".into(), content, companions: &[] })
}

const CYCLONE: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
    {"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","licenses":[{"license":{"id":"MIT"}}],
     "components":[{"type":"library","name":"b","version":"2","purl":"pkg:npm/%40s/b"}]},
    {"type":"library","name":"x","version":"1","purl":"pkg:npm/x@1","scope":"excluded"},
    {"type":"file","name":"f"}]}"#;
const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"a","versionInfo":"1","licenseConcluded":"NOASSERTION",
    "licenseDeclared":"MIT","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl",
    "referenceLocator":"pkg:npm/a@1"}]},{"name":"root","SPDXID":"SPDXRef-x"}]}"#;

#[test]
fn both_formats_are_read() {
    let named = |facts: &Facts| -> Vec<String> {
        facts.packages.iter().map(|p| format!("{} {} {:?}", p.name, p.version, p.licence.as_deref())).collect()
    };
    let facts = read(CYCLONE.as_bytes());
    assert_eq!(named(&facts), ["@s/b 2 None", "a 1 Some(\"MIT\")"]);
    assert!(facts.declared && facts.gaps.is_empty());
    assert_eq!(named(&read(SPDX.as_bytes())), ["a 1 Some(\"MIT\")"]);
}

#[test]
fn every_truncation_is_a_gap() {
    for whole in [CYCLONE, SPDX] {
        for end in 0..whole.len() {
            let facts = read(&whole.as_bytes()[..end]);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
        }
    }
}

#[test]
fn what_is_no_bill_is_nothing_and_what_is_not_read_is_a_gap() {
    for other in [
        "[]",
        "{}",
        r#"{"bom":[1,2]}"#,
        r#"{"components":{"a":1}}"#,
        "1",
        r#"{"bomFormat":"other"}"#,
        r#"{"artifacts":[]}"#,
        r#"{"@context":{"a":"b"}}"#,
    ] {
        assert_eq!(read(other.as_bytes()), Facts { declared: true, ..Facts::default() }, "{other}");
    }
    let three = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#;
    assert_eq!(read(three.as_bytes()).gaps[0].kind, GapKind::Unsupported);
    let listed = r#"{"@context":[{"x":[1]},1,null,"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"],"@graph":[]}"#;
    assert_eq!(read(listed.as_bytes()).gaps[0].kind, GapKind::Unsupported);
    let syft =
        r#"{"artifacts":[{"name":"a","version":"1"}],"descriptor":{"name":"syft"},"schema":{"version":"16.0.0"}}"#;
    assert_eq!(read(syft.as_bytes()).gaps[0].kind, GapKind::Unsupported);
    assert_eq!(read(br#"{"spdxVersion":"SPDX-3.0"}"#).gaps[0].kind, GapKind::Unsupported);
    let path = "app/bom.xml".into();
    let of = |content: &[u8]| xml(&ClaimedFile { path: &path, content, companions: &[] });
    assert_eq!(of(b"<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.4\">").gaps.len(), 1);
    assert_eq!(of(b"<project/>"), Facts::default());
}

#[test]
fn invalid_entries_are_counted() {
    let content = br#"{"bomFormat":"CycloneDX","components":[{"purl":"nonsense"},{"purl":"pkg:npm/a"},{"purl":"pkg:docker/a@1"},{"purl":"b"}]}"#;
    let facts = read(content);
    assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "to declare no version is no fault");
    assert!(facts.gaps[0].reason.starts_with("2 "), "{facts:?}");
    let path = "opt/bitnami/x/.spdx-x.spdx".into();
    let installed = (INSTALLED.extract)(&ClaimedFile { path: &path, content, companions: &[] });
    assert_eq!(installed.gaps.len(), 2, "{installed:?}");
}

#[test]
fn hostile_documents_neither_overflow_nor_burst() {
    let deep = format!(r#"{{"bomFormat":"CycloneDX","components":{}"#, r#"[{"components":"#.repeat(1 << 16));
    assert_eq!(read(deep.as_bytes()).gaps.len(), 1);
    let nested = format!(r#"{{"bomFormat":"CycloneDX","x":{}"#, "[".repeat(1 << 18));
    assert_eq!(read(nested.as_bytes()).gaps.len(), 1);
    let wide = format!(r#"{{"bomFormat":"CycloneDX","components":[{}{{}}]}}"#, "{},".repeat(1 << 18));
    assert_eq!(read(wide.as_bytes()).packages.len(), 0);
    let many: String = (0..found::MAX_PACKAGES + 10).map(|i| format!(r#"{{"purl":"pkg:npm/a{i}@1"}},"#)).collect();
    let facts = read(format!(r#"{{"bomFormat":"CycloneDX","components":[{many}{{}}]}}"#).as_bytes());
    assert_eq!((facts.packages.len(), facts.gaps[0].kind), (found::MAX_PACKAGES, GapKind::Limit));
}

#[test]
fn melange_tells_of_its_apk_alone() {
    let document = br#"{"spdxVersion":"SPDX-2.3","packages":[
        {"name":"bash","versionInfo":"5.2.21-r1","externalRefs":[{"referenceType":"purl",
         "referenceLocator":"pkg:apk/wolfi/bash@5.2.21-r1?arch=x86_64&distro=wolfi"}]},
        {"name":"bash","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:generic/bash@5.2.21"}]}]}"#;
    let path = "var/lib/db/sbom/bash-5.2.21-r1.spdx.json".into();
    let facts = (INSTALLED.extract)(&ClaimedFile { path: &path, content: document, companions: &[] });
    let [bash] = &facts.packages[..] else { panic!("{facts:?}") };
    assert_eq!((bash.ecosystem, bash.arch.as_deref()), (Ecosystem::Apk, Some("x86_64")));
    assert!(!facts.declared);
}
