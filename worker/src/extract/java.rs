//! Java archives: what each is, what was copied into it, and the archives inside it.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;

use super::{ClaimedFile, Content, Extractor};

mod application;
mod archive;
mod file_name;
mod groups;
mod identity;
mod manifest;
mod pom;
mod properties;
#[cfg(test)]
mod tests;
mod walk;

use identity::Coordinates;
use properties::Stated;

/// Java archives by name: `.jar`, web and enterprise applications (`.war`, `.ear`), JBoss' services and protocols
/// (`.sar`, `.par`), resource adapters (`.rar`), Jenkins' plug-ins (`.hpi`, `.jpi`), Karaf's (`.kar`), NiFi's (`.nar`) and
/// Liferay's (`.lpkg`).
///
/// Format: the JAR File Specification of Java SE. Of an archive only its manifest, the descriptors below `META-INF/maven`
/// and the archives inside it are inflated.
pub(crate) static ARCHIVE: Extractor = Extractor {
    name: "java-archive",
    version: 2,
    claims: is_archive,
    // All that claimed files may take in memory at one time. Of the largest in earnest, Amazon's SDKs as one, some are larger.
    content: Content::Whole(256 << 20),
    companions: &[],
    yields: &[Ecosystem::Maven],
    form: "jar, war, ear and their kin, nested and shaded",
    extract: walk::extract,
};

/// Maven's descriptor in an unpacked archive: `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
pub(crate) static DESCRIPTOR: Extractor = Extractor {
    name: "maven-descriptor",
    version: 1,
    claims: is_unpacked_descriptor,
    content: Content::Whole(DESCRIPTOR_BYTES),
    companions: &[],
    yields: &[Ecosystem::Maven],
    form: "unpacked descriptors",
    extract: extract_descriptor,
};

/// The largest descriptor that is read.
const DESCRIPTOR_BYTES: u64 = 1 << 20;
/// The longest part of coordinates that is believed.
const MAX_PART: usize = 256;

/// Whether a file is taken for a Java archive by its name. `._x.jar` is what macOS adds to a tar, and no archive.
fn is_archive(path: &[u8]) -> bool {
    let Some(dot) = path.iter().rev().take(5).position(|&byte| byte == b'.') else { return false };
    let suffix = &path[path.len() - dot..];
    let suffixes: [&[u8]; 11] =
        [b"jar", b"war", b"ear", b"sar", b"par", b"rar", b"hpi", b"jpi", b"kar", b"nar", b"lpkg"];
    suffixes.iter().any(|known| suffix.eq_ignore_ascii_case(known)) && {
        let stem = split(&path[..path.len() - dot - 1]).1;
        !stem.is_empty() && !stem.starts_with(b"._")
    }
}

/// Whether other software than Java's uses the suffix too, so that a file which is no archive means nothing.
fn is_ambiguous(path: &[u8]) -> bool {
    [b".sar", b".par", b".rar", b".kar", b".nar"]
        .iter()
        .any(|suffix| path.last_chunk::<4>().is_some_and(|end| end.eq_ignore_ascii_case(*suffix)))
}

fn is_unpacked_descriptor(path: &[u8]) -> bool {
    path.strip_suffix(b"/pom.properties").is_some_and(|directory| {
        let (group, artifact) = split(directory);
        let (above, group) = split(group);
        let above = above.strip_suffix(b"META-INF/maven");
        !artifact.is_empty() && !group.is_empty() && above.is_some_and(|top| top.is_empty() || top.ends_with(b"/"))
    })
}

fn extract_descriptor(file: &ClaimedFile<'_>) -> Facts {
    match whole(properties::read(file.content)) {
        Some(own) => Facts { packages: vec![package(&own)], ..Facts::default() },
        None => {
            let reason = "pom.properties without a valid group, artifact and version";
            Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() }
        }
    }
}

fn package(own: &Coordinates) -> Package {
    Package::new(Ecosystem::Maven, format!("{}:{}", own.group, own.artifact), &own.version)
}

/// Coordinates whose parts are all there and believable.
fn whole(stated: Stated) -> Option<Coordinates> {
    let Stated { group: Some(group), artifact: Some(artifact), version: Some(version) } = stated else { return None };
    [&group, &artifact, &version].iter().all(|part| is_part(part)).then_some(Coordinates { group, artifact, version })
}

/// Whether `text` may be part of coordinates: Maven refuses what its repository could not name a directory.
fn is_part(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_PART
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | ':' | '"' | '<' | '>'))
}
