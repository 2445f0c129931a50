//! Java archives: golden cases, odd forms, hostile ones.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use lazaret::inventory::{Facts, GapKind};
use lazaret::path::LayerPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;
use crate::extract::golden;

#[test]
fn golden_cases() {
    golden::check(&ARCHIVE);
    golden::check(&DESCRIPTOR);
}

#[test]
fn claims_archives_and_unpacked_descriptors() {
    for path in [
        "a.jar",
        "app/lib/log4j-core-2.14.1.JAR",
        "x/a.war",
        "a.ear",
        "a.par",
        "a.sar",
        "a.rar",
        "a.hpi",
        "a.jpi",
        "a.kar",
        "a.nar",
        "a.lpkg",
    ] {
        assert!((ARCHIVE.claims)(path.as_bytes()), "{path}");
    }
    for path in ["", "jar", ".jar", "a/.war", "a.jar/b", "a.jarx", "a.jar.bak", "a/._b.jar", "xjar", "a.tar", "lpkg"] {
        assert!(!(ARCHIVE.claims)(path.as_bytes()), "{path}");
    }
    for path in ["META-INF/maven/g/a/pom.properties", "srv/app/META-INF/maven/org.x/y/pom.properties"] {
        assert!((DESCRIPTOR.claims)(path.as_bytes()), "{path}");
    }
    for path in [
        "META-INF/maven/g/a/pom.xml",
        "META-INF/maven/a/pom.properties",
        "META-INF/maven/x/g/a/pom.properties",
        "XMETA-INF/maven/g/a/pom.properties",
        "target/maven-archiver/pom.properties",
        "pom.properties",
    ] {
        assert!(!(DESCRIPTOR.claims)(path.as_bytes()), "{path}");
    }
}

fn read(name: &str, content: &[u8]) -> Facts {
    let path = LayerPath::from(name);
    (ARCHIVE.extract)(&ClaimedFile { path: &path, content, companions: &[] })
}

/// Packages with their places, and gaps.
fn told(name: &str, content: &[u8]) -> Vec<String> {
    let facts = read(name, content);
    let package = |p: &Package| format!("{} {} @{}", p.name, p.version, p.inside.as_deref().unwrap_or_default());
    let gaps = facts.gaps.iter().map(|gap| format!("{:?} {}", gap.kind, gap.reason));
    facts.packages.iter().map(package).chain(gaps).collect()
}

fn zip(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut zip = ZipArchiveWriter::new(&mut bytes);
    for (name, content) in files {
        let (mut entry, config) = zip.new_file(*name).compression_method(method).start().unwrap();
        if method == CompressionMethod::DEFLATE {
            let mut data = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
            data.write_all(content).unwrap();
            let (encoder, descriptor) = data.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        } else {
            let mut data = config.wrap(&mut entry);
            data.write_all(content).unwrap();
            let (_, descriptor) = data.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
    }
    zip.finish().unwrap();
    bytes
}

fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip(CompressionMethod::DEFLATE, files)
}

fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip(CompressionMethod::STORE, files)
}

const CORE: &[u8] = b"version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n";
const CORE_AT: &str = "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties";
const API: &[u8] = b"version=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-api\n";
const API_AT: &str = "META-INF/maven/org.apache.logging.log4j/log4j-api/pom.properties";

fn core() -> Vec<u8> {
    deflated(&[(CORE_AT, CORE), ("org/apache/logging/log4j/core/Core.class", b"")])
}

#[test]
fn says_where_in_the_file_each_package_is() {
    let shaded = deflated(&[(CORE_AT, CORE), (API_AT, API)]);
    let war = stored(&[("WEB-INF/lib/log4j-core-2.14.1.jar", &shaded)]);
    let ear = deflated(&[("shop.war", &war), ("lib/log4j-core-2.14.1.jar", &core())]);
    assert_eq!(
        told("shop.ear", &ear),
        [
            "org.apache.logging.log4j:log4j-api 2.14.1 @shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar!/META-INF/maven/org.apache.logging.log4j/log4j-api",
            "org.apache.logging.log4j:log4j-core 2.14.1 @lib/log4j-core-2.14.1.jar",
            "org.apache.logging.log4j:log4j-core 2.14.1 @shop.war!/WEB-INF/lib/log4j-core-2.14.1.jar",
        ]
    );
    assert_eq!(told("log4j-core.jar", &core()), ["org.apache.logging.log4j:log4j-core 2.14.1 @"]);
}

#[test]
fn what_nobody_published_leaves_no_gap_for_itself() {
    let library = ("BOOT-INF/lib/log4j-core-2.14.1.jar", core());
    let manifest = b"Main-Class: x.JarLauncher\nImplementation-Version: 1.0\n";
    let boot = stored(&[
        ("META-INF/MANIFEST.MF", manifest),
        ("org/springframework/boot/loader/JarLauncher.class", b""),
        ("BOOT-INF/classes/a/Shop.class", b""),
        (library.0, &library.1),
    ]);
    for name in ["app.jar", "shop-1.0.jar", "shop-1.0.war", "spring-boot-shop-1.0.jar"] {
        let expected = ["org.apache.logging.log4j:log4j-core 2.14.1 @BOOT-INF/lib/log4j-core-2.14.1.jar"];
        assert_eq!(told(name, &boot), expected, "{name}");
    }
    let started = stored(&[("META-INF/MANIFEST.MF", b"Start-Class: a.Shop\n"), ("a/Shop.class", b"")]);
    assert_eq!(read("shop.war", &started), Facts::default());
    let wrapper = stored(&[("org/gradle/wrapper/Download.class", b"")]);
    assert_eq!(read("gradle/wrapper/gradle-wrapper.jar", &wrapper), Facts::default());
    assert_eq!(read("quarkus-app/quarkus-run.jar", &stored(&[("META-INF/MANIFEST.MF", manifest)])), Facts::default());
    let classes = stored(&[("a/Shop.class", b"")]);
    assert_eq!(read("quarkus-app/quarkus/generated-bytecode.jar", &classes), Facts::default());
    for (name, content) in [("app.jar", &classes), ("gradle-wrapper.jar", &classes), ("shop-1.0.jar", &classes)] {
        assert_eq!(read(name, content).gaps.len(), 1, "{name}");
    }
}

#[test]
fn names_of_many_hyphens_cost_little() {
    let began = Instant::now();
    // Wherever its version may begin, the end says that it does not.
    let name = format!("{}foo-1.0.jar", "a-1-".repeat(990));
    let inner = stored(&[("META-INF/MANIFEST.MF", b"Implementation-Version: 1\n"), ("a.class", b"")]);
    let facts = read("app.jar", &repeated(&stored(&[(&name, &inner)]), 20_000));
    assert!(!facts.gaps.is_empty());
    assert!(began.elapsed() < Duration::from_secs(30), "took {:?}", began.elapsed());
}

#[test]
fn an_archive_may_begin_late_and_end_early() {
    let mut script = b"#!/bin/bash\nexec java -jar \"$0\"\n".to_vec();
    script.extend(core());
    assert_eq!(told("app.jar", &script), ["org.apache.logging.log4j:log4j-core 2.14.1 @"]);
    let mut commented = core();
    let at = commented.len() - 2;
    commented[at..].copy_from_slice(&7u16.to_le_bytes());
    commented.extend(b"PK\x05\x06 no");
    // A comment that looks like the end of another archive: nothing is told that is not there.
    assert_eq!(read("app.jar", &commented).gaps.len(), 1);
    let at = commented.len() - 7;
    commented[at..].copy_from_slice(b"comment");
    assert_eq!(told("app.jar", &commented), ["org.apache.logging.log4j:log4j-core 2.14.1 @"]);
}

#[test]
fn every_truncation_is_a_gap() {
    let whole = core();
    for end in 0..whole.len() {
        let facts = read("app.jar", &whole[..end]);
        assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
    }
    // Cut behind the archive inside it, it is that archive with something in front, for a JVM too.
    let outer = stored(&[("a.jar", &whole)]);
    for end in 0..outer.len() {
        let facts = read("app.jar", &outer[..end]);
        assert_eq!(facts.packages.len() + facts.gaps.len(), 1, "{end}");
        assert!(facts.packages == read("app.jar", &whole).packages || facts.packages.is_empty(), "{end}");
    }
}

#[test]
fn no_damaged_byte_makes_another_package() {
    for whole in [core(), stored(&[("a.jar", &core())]), stored(&[(CORE_AT, CORE)])] {
        let expected = read("app.jar", &whole).packages;
        for at in 0..whole.len() {
            for bit in [1, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= bit;
                let facts = read("app.jar", &damaged);
                let is_same = |p: &Package| expected.iter().any(|e| (&e.name, &e.version) == (&p.name, &p.version));
                assert!(facts.packages.iter().all(is_same), "{at}: {:?}", facts.packages);
            }
        }
    }
}

#[test]
fn archives_in_archives_end_somewhere() {
    let mut archive = core();
    for _ in 0..4 {
        archive = stored(&[("a.jar", &archive)]);
    }
    assert_eq!(read("app.jar", &archive).packages.len(), 1);
    archive = stored(&[("a.jar", &archive)]);
    let facts = read("app.jar", &archive);
    assert_eq!((facts.packages.len(), facts.gaps[0].kind), (0, GapKind::Limit));
    for _ in 0..1000 {
        archive = stored(&[("a.jar", &archive)]);
    }
    assert_eq!(read("app.jar", &archive).gaps.len(), 1);
}

/// A central directory whose every record is the first one, `count` times.
fn repeated(archive: &[u8], count: u32) -> Vec<u8> {
    let end = archive.len() - 22;
    let field = |at: usize| u32::from_le_bytes(archive[end + at..end + at + 4].try_into().unwrap()) as usize;
    let (size, start) = (field(12), field(16));
    let mut bytes = archive[..start].to_vec();
    bytes.extend(archive[start..start + size].repeat(count as usize));
    let mut tail = archive[end..].to_vec();
    tail[12..16].copy_from_slice(&(size as u32 * count).to_le_bytes());
    bytes.extend(tail);
    bytes
}

#[test]
fn bombs_cost_little_and_leave_a_gap() {
    let began = Instant::now();
    let limit = |name: &str, bytes: &[u8]| {
        let facts = read(name, bytes);
        assert!(facts.gaps.iter().any(|gap| gap.kind == GapKind::Limit), "{name}: {:?}", facts.gaps);
        assert!(facts.weight() <= (64 << 10) + 200 * bytes.len(), "{name}");
    };
    limit("zeros", &deflated(&[("a.jar", &vec![0; 200 << 20])]));
    limit("descriptor", &deflated(&[(CORE_AT, &vec![b' '; 2 << 20])]));
    limit("manifests", &repeated(&deflated(&[("a.jar", &repeated(&stored(&[("b.jar", &core())]), 1000))]), 1000));
    let wide = repeated(&stored(&[("b.jar", &core())]), 2000);
    let wider = repeated(&stored(&[("a.jar", &wide)]), 2000);
    limit("wide", &repeated(&stored(&[("a.jar", &wider)]), 2000));
    limit("entries", &repeated(&stored(&[("x", b"")]), 5_000_000));
    let random: Vec<u8> = (0..8u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    limit("overlap", &repeated(&deflated(&[("a.jar", &random)]), 1000));
    assert!(began.elapsed() < Duration::from_secs(120), "took {:?}", began.elapsed());
}

#[test]
fn what_is_not_java_s_is_let_be() {
    for name in ["a.rar", "a.nar", "a.par", "a.sar", "a.kar"] {
        assert_eq!(read(name, b"Rar!\x1a\x07\x00"), Facts::default(), "{name}");
        assert_eq!(read(name, &core()).packages.len(), 1, "{name}");
    }
    for name in ["a.jar", "a.war", "a.hpi"] {
        for content in [&b""[..], b"jar", b"\xff\xfe<\0", b"PK\x03\x04"] {
            assert_eq!(read(name, content).gaps[0].kind, GapKind::Malformed, "{name}");
        }
    }
}

#[test]
fn odd_descriptors_are_gaps() {
    let long = format!("version={}\ngroupId=g\nartifactId=a", "1".repeat(257));
    for properties in
        ["", "version=${v}\ngroupId=g\nartifactId=a", "version=1\ngroupId=g h\nartifactId=a", &long, "\u{feff}ver"]
    {
        let facts = read("x.jar", &deflated(&[("META-INF/maven/g/a/pom.properties", properties.as_bytes())]));
        assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{properties}");
        let path = LayerPath::from("META-INF/maven/g/a/pom.properties");
        let file = ClaimedFile { path: &path, content: properties.as_bytes(), companions: &[] };
        assert_eq!((DESCRIPTOR.extract)(&file).gaps.len(), 1, "{properties}");
    }
}
