//! The package that built an executable, as its package note says: JSON in an ELF note.
//!
//! Format: <https://systemd.io/ELF_PACKAGE_METADATA/>, which the UAPI group took over. Fedora, Azure Linux, Ubuntu and others
//! link it into every program and library. Its `name` is mostly the source package's: the flags of a build are one for all
//! that it makes.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{GapKind, PACKAGE_NOTE};
use lazaret::package::Package;
use serde::Deserialize;

use super::header::{Header, Segment};
use super::kept::Kept;
use super::sections::Flaw;
use crate::extract::word::is_word;

/// Segments with notes that are read of one file; linkers make one for each alignment.
pub(super) const MAX_SEGMENTS: usize = 8;

/// Bytes that are read of each; notes take some hundred.
const MAX_BYTES: u64 = 64 << 10;

/// Owner and type of the note.
const OWNER: &[u8] = b"FDO\0";
const TYPE: u32 = 0xcafe_1a7e;

/// Bytes of a type that are shown where nobody knows it.
const MAX_SHOWN: usize = 32;

/// The part of the file in which the notes of `segment` are looked for.
pub(super) fn range(segment: &Segment) -> std::ops::Range<u64> {
    segment.start..segment.end.min(segment.start.saturating_add(MAX_BYTES))
}

/// The package of the first package note in `segments`, or what is wrong with that; nothing where there is none.
pub(super) fn package(header: &Header, kept: &Kept, segments: &[Segment]) -> Option<Result<Package, Flaw>> {
    segments.iter().find_map(|segment| {
        let range = range(segment);
        // Of a file that is cut there may be less than that; what is not there has no note.
        let end = range.end.min(kept.position());
        let notes = kept.read(range.start, end.checked_sub(range.start)?)?;
        find(header, notes, segment.align).map(read)
    })
}

/// What the package note among `notes` holds. Names and contents end at multiples of four bytes, or of eight where the
/// segment is aligned so.
fn find<'n>(header: &Header, mut notes: &'n [u8], align: u64) -> Option<&'n [u8]> {
    let align = if align == 8 { 8 } else { 4 };
    loop {
        let field = |at| usize::try_from(header.u32(notes, at)?).ok();
        let (name_bytes, bytes, kind) = (field(0)?, field(4)?, header.u32(notes, 8)?);
        let name = notes.get(12..12_usize.checked_add(name_bytes)?)?;
        let start = 12_usize.checked_add(name_bytes)?.checked_next_multiple_of(align)?;
        let contents = notes.get(start..)?;
        if kind == TYPE && name == OWNER {
            // One that is cut short is read as far as it goes: its JSON has no end then.
            return Some(contents.get(..bytes).unwrap_or(contents));
        }
        notes = contents.get(bytes.checked_next_multiple_of(align)?..)?;
    }
}

#[derive(Deserialize)]
struct Note<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    architecture: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    os: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "osVersion")]
    os_version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "osCpe")]
    os_cpe: Option<Cow<'a, str>>,
}

fn read(contents: &[u8]) -> Result<Package, Flaw> {
    let flaw = |kind, what: &str| (kind, format!("{PACKAGE_NOTE} {what}"));
    let end = memchr::memchr(0, contents).unwrap_or(contents.len());
    let note: Note<'_> = serde_json::from_slice(&contents[..end])
        .map_err(|error| flaw(GapKind::Malformed, &format!("that cannot be read: {error}")))?;
    let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.is_os() && ecosystem.name() == note.r#type);
    let ecosystem = ecosystem.ok_or_else(|| {
        let kind: String = lazaret::text::visible(&note.r#type).chars().take(MAX_SHOWN).collect();
        flaw(GapKind::Unsupported, &format!("of a packaging that is not known: {kind}"))
    })?;
    let (version, arch) = version_and_arch(ecosystem, &note.version, note.architecture.as_deref());
    if !is_word(&note.name) || !is_word(version) || arch.is_some_and(|arch| !is_word(arch)) {
        return Err(flaw(GapKind::Malformed, "with an invalid name or version"));
    }
    let mut package = Package::new(ecosystem, note.name.as_ref(), version);
    package.arch = arch.map(str::to_owned);
    package.qualifiers.extend(note.distro().map(|distro| ("distro".to_owned(), distro)));
    Ok(package)
}

/// The first notes of Fedora had the architecture behind the release: `0-1.fc35.x86_64`.
fn version_and_arch<'n>(ecosystem: Ecosystem, version: &'n str, arch: Option<&'n str>) -> (&'n str, Option<&'n str>) {
    const ARCHES: [&str; 7] = ["x86_64", "aarch64", "i686", "armv7hl", "ppc64le", "s390x", "riscv64"];
    let arch = arch.filter(|arch| !arch.is_empty());
    match version.rsplit_once('.') {
        Some((before, tail)) if ecosystem == Ecosystem::Rpm && (arch == Some(tail) || ARCHES.contains(&tail)) => {
            (before, arch.or(Some(tail)))
        }
        _ => (version, arch),
    }
}

impl Note<'_> {
    /// The distribution as package URLs name it, `fedora-40`: by its words (as in os-release), or by its CPE, of which a few
    /// are known to mean one.
    fn distro(&self) -> Option<String> {
        let (id, version) = match self.os.as_deref().filter(|os| !os.is_empty()) {
            Some(os) => (os, self.os_version.as_deref()),
            None => of_cpe(self.os_cpe.as_deref()?)?,
        };
        let distro = match version.filter(|version| !version.is_empty()) {
            Some(version) => format!("{id}-{version}"),
            None => id.to_owned(),
        };
        is_word(&distro).then_some(distro)
    }
}

/// `cpe:/o:fedoraproject:fedora:40`, or the same in the form of CPE 2.3.
fn of_cpe(cpe: &str) -> Option<(&str, Option<&str>)> {
    let mut parts = cpe.strip_prefix("cpe:/").or_else(|| cpe.strip_prefix("cpe:2.3:"))?.split(':');
    let id = match (parts.next()?, parts.next()?, parts.next()?) {
        ("o", "fedoraproject", "fedora") => "fedora",
        ("o", "redhat", "enterprise_linux") => "rhel",
        ("o", "centos", "centos") => "centos",
        ("o", "debian", "debian_linux") => "debian",
        ("o", "canonical", "ubuntu_linux") => "ubuntu",
        _ => return None,
    };
    Some((id, parts.next().filter(|&version| version != "*" && version != "-")))
}

#[cfg(test)]
mod tests;
