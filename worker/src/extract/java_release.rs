//! Java runtimes, by the `release` file in the home of each.
//!
//! Format: <https://openjdk.org/jeps/223> and the makefiles of OpenJDK: lines `KEY="value"`; `JAVA_VERSION` is in all of
//! them since 7, `IMPLEMENTOR` since 10.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::word::{is_word, word};
use super::{ClaimedFile, Content, Extractor, control};

/// Development kits and runtimes that no package manager installed (and those that one did, which owns the file then).
///
/// Named `vendor/product` after the build; the CPE is the one under which NVD lists what concerns it: that of OpenJDK for all
/// builds of OpenJDK, since hardly an entry names one of them.
pub(super) static JAVA_RELEASE: Extractor = Extractor {
    name: "java-release",
    version: 1,
    claims,
    content: Content::Whole(16 << 20),
    companions: &[],
    yields: &[Ecosystem::Generic],
    form: "JDKs by `release`",
    extract,
};

/// Below the root, and not where programs are: one may be called `release`.
fn claims(path: &[u8]) -> bool {
    path.strip_suffix(b"/release")
        .is_some_and(|home| !matches!(split(home).1, b"bin" | b"sbin" | b"libexec" | b"scripts"))
}

#[derive(Default)]
struct Release<'a> {
    version: Option<&'a [u8]>,
    implementor: Option<&'a [u8]>,
    graalvm: Option<&'a [u8]>,
    is_commercial: bool,
}

impl<'a> Release<'a> {
    fn read(content: &'a [u8]) -> Self {
        let mut release = Self::default();
        for line in control::lines(content) {
            let Some((key, value)) = memchr::memchr(b'=', line).map(|at| (&line[..at], &line[at + 1..])) else {
                continue;
            };
            // A value without its closing quote is cut short.
            let Some(value) = value.trim_ascii().strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) else {
                continue;
            };
            match key {
                b"JAVA_VERSION" => release.version = release.version.or(Some(value)),
                b"IMPLEMENTOR" => release.implementor = release.implementor.or(Some(value)),
                b"GRAALVM_VERSION" => release.graalvm = release.graalvm.or(Some(value)),
                b"BUILD_TYPE" => release.is_commercial |= value == b"commercial",
                _ => {}
            }
        }
        release
    }
}

/// Builds of OpenJDK by who made them: part of `IMPLEMENTOR`, in lower case, and the name.
const BUILDS: &[(&str, &str)] = &[
    ("adoptium", "eclipse/temurin"),
    ("adoptopenjdk", "adoptopenjdk/openjdk"),
    ("amazon", "amazon/corretto"),
    ("azul", "azul/zulu"),
    ("bellsoft", "bellsoft/liberica"),
    ("microsoft", "microsoft/openjdk"),
    ("sap ", "sap/sapmachine"),
    ("semeru", "ibm/semeru"),
    ("international business machines", "ibm/semeru"),
    ("ibm", "ibm/semeru"),
    ("alibaba", "alibaba/dragonwell"),
    ("tencent", "tencent/kona"),
    ("jetbrains", "jetbrains/jbr"),
];

fn extract(file: &ClaimedFile<'_>) -> Facts {
    if !file.content.starts_with(b"JAVA_VERSION=") && memchr::memmem::find(file.content, b"\nJAVA_VERSION=").is_none() {
        return Facts::default();
    }
    let release = Release::read(file.content);
    let malformed = |reason: &str| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let version = release.version.and_then(word);
    let is_version = |version: &&str| version.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
    let Some(version) = version.filter(is_version) else {
        return malformed("release file of a Java runtime without a valid version");
    };
    let implementor = release.implementor.and_then(control::value);
    let by = implementor.as_deref().unwrap_or_default().to_ascii_lowercase();
    let graalvm = release.graalvm.and_then(word);
    let (name, version, cpe) = if by.contains("graalvm") || graalvm.is_some() {
        // From 22.3.1 on GraalVM goes by the version of Java; before, by its own.
        ("oracle/graalvm", version, graalvm_cpe(version, graalvm))
    } else if by == "oracle corporation" && (release.is_commercial || !is_openjdk(file.content)) {
        ("oracle/jdk", version, cpe("oracle:jdk", version, "1.8.0"))
    } else {
        let build = BUILDS.iter().find(|(part, _)| by.contains(part)).map_or("oracle/openjdk", |(_, name)| name);
        (build, version, cpe("oracle:openjdk", version, "8"))
    };
    let package = Package {
        vendor: implementor.filter(|implementor| implementor != "N/A"),
        cpe: cpe.is_ascii().then_some(cpe).filter(|cpe| is_word(cpe)),
        ..Package::new(Ecosystem::Generic, name, version)
    };
    Facts { packages: vec![package], ..Facts::default() }
}

/// Oracle's builds of OpenJDK say from which repository they come, which is open; its own JDK says `open` beside another.
fn is_openjdk(content: &[u8]) -> bool {
    let source = control::lines(content).find_map(|line| line.strip_prefix(b"SOURCE=\""));
    source.is_some_and(|source| memchr::memmem::find(source, b"open:").is_none())
}

/// NVD has `…:17.0.9:*` and, for 8 and before, `…:1.8.0:update392`, with a shorter version for OpenJDK.
fn cpe(product: &str, version: &str, of_eight: &str) -> String {
    match version.split_once('_') {
        Some((base, update)) => {
            let update = update.split(['-', '+']).next().unwrap_or_default().trim_start_matches('0');
            let base = if base == "1.8.0" { of_eight } else { base };
            format!("cpe:2.3:a:{product}:{}:update{}:*:*:*:*:*:*", quoted(base), quoted(update))
        }
        None => format!("cpe:2.3:a:{product}:{}:*:*:*:*:*:*:*", quoted(version.split('+').next().unwrap_or_default())),
    }
}

fn graalvm_cpe(java: &str, graalvm: Option<&str>) -> String {
    match graalvm {
        Some(own) if own.split('.').next().is_some_and(|major| major.parse::<u32>().is_ok_and(|major| major < 23)) => {
            format!("cpe:2.3:a:oracle:graalvm:{}:*:*:*:*:*:*:*", quoted(own))
        }
        _ => cpe("oracle:graalvm_for_jdk", java, "1.8.0"),
    }
}

/// A part of a CPE: what is not a letter, a digit or one of three signs stands behind a backslash (NISTIR 7695, 6.2).
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&JAVA_RELEASE);
    }

    #[test]
    fn claims_files_of_that_name_but_no_programs() {
        for (path, claimed) in [
            ("opt/java/openjdk/release", true),
            ("usr/lib/jvm/java-17-openjdk-amd64/release", true),
            ("release", false),
            ("usr/bin/release", false),
            ("opt/java/os-release", false),
            ("opt/java/release/x", false),
        ] {
            assert_eq!(claims(path.as_bytes()), claimed, "{path}");
        }
    }

    fn read(content: &[u8]) -> Facts {
        extract(&ClaimedFile { path: &"opt/java/release".into(), content, companions: &[] })
    }

    #[test]
    fn builds_are_named_and_nvd_s_names_kept() {
        for (content, name, cpe) in [
            (
                "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\n",
                "eclipse/temurin",
                "cpe:2.3:a:oracle:openjdk:17.0.9:*:*:*:*:*:*:*",
            ),
            (
                "JAVA_VERSION=\"1.8.0_392\"\nSOURCE=\".:git:abc\"\n",
                "oracle/openjdk",
                "cpe:2.3:a:oracle:openjdk:8:update392:*:*:*:*:*:*",
            ),
            (
                "BUILD_TYPE=\"commercial\"\nIMPLEMENTOR=\"Oracle Corporation\"\nJAVA_VERSION=\"1.8.0_05\"\n",
                "oracle/jdk",
                "cpe:2.3:a:oracle:jdk:1.8.0:update5:*:*:*:*:*:*",
            ),
            (
                "IMPLEMENTOR=\"Oracle Corporation\"\nJAVA_VERSION=\"22.0.2\"\nSOURCE=\".:git:13710926b798\"\n",
                "oracle/openjdk",
                "cpe:2.3:a:oracle:openjdk:22.0.2:*:*:*:*:*:*:*",
            ),
            (
                "IMPLEMENTOR=\"Oracle Corporation\"\nJAVA_VERSION=\"21.0.4\"\nSOURCE=\".:git:a open:git:b\"\n",
                "oracle/jdk",
                "cpe:2.3:a:oracle:jdk:21.0.4:*:*:*:*:*:*:*",
            ),
            (
                "IMPLEMENTOR=\"GraalVM Community\"\nJAVA_VERSION=\"17.0.9\"\nGRAALVM_VERSION=\"23.0.2\"\n",
                "oracle/graalvm",
                "cpe:2.3:a:oracle:graalvm_for_jdk:17.0.9:*:*:*:*:*:*:*",
            ),
            (
                "IMPLEMENTOR=\"GraalVM Community\"\nJAVA_VERSION=\"17.0.5\"\nGRAALVM_VERSION=\"22.3.0\"\n",
                "oracle/graalvm",
                "cpe:2.3:a:oracle:graalvm:22.3.0:*:*:*:*:*:*:*",
            ),
        ] {
            let facts = read(content.as_bytes());
            let [package] = &facts.packages[..] else { panic!("{facts:?}") };
            assert_eq!((package.name.as_str(), package.cpe.as_deref()), (name, Some(cpe)));
        }
    }

    #[test]
    fn other_files_are_nothing_and_broken_ones_gaps() {
        assert_eq!(read(b"#!/bin/sh\nexit\n"), Facts::default());
        assert_eq!(read(b""), Facts::default());
        assert_eq!(read(&b"\x7fELF\0".repeat(1 << 16)), Facts::default());
        for content in
            [&b"JAVA_VERSION=\"17"[..], b"JAVA_VERSION=17\n", b"JAVA_VERSION=\"\"\n", b"JAVA_VERSION=\"a:b\"\n"]
        {
            assert_eq!((read(content).packages.len(), read(content).gaps.len()), (0, 1), "{content:?}");
        }
        let whole = b"IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"17.0.9\"\nOS_ARCH=\"x86_64\"\n";
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).packages.iter().all(|package| package.version == "17.0.9"), "{end}");
        }
    }
}
