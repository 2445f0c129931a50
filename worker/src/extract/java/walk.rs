//! One Java archive and those inside it, depth first, under one budget.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::package::Package;
use lazaret::path::split;
use lazaret::text::from_bytes;

use super::application::Traces;
use super::archive::{Archive, Budget, Entry, Flaw};
use super::identity::{Coordinates, Identity};
use super::manifest::{Attribute, Manifest};
use super::properties::Stated;
use super::{
    ClaimedFile, DESCRIPTOR_BYTES, identity, is_ambiguous, is_archive, is_part, package, pom, properties, whole,
};
use crate::extract::licence;

/// How deep archives may lie in each other: a library in a web application in an enterprise application, and one more.
const MAX_DEPTH: usize = 4;
/// As much of a manifest as is read: the main section comes first, and the digests of single files behind it do not count.
const MANIFEST_BYTES: u64 = 1 << 20;
/// Descriptors and archives of one archive that are read.
const MAX_WANTED: usize = 20_000;
/// What the packages and gaps of one file may take in memory, about: a hundred times its size, within bounds. A descriptor
/// takes two hundred bytes at least, what it yields twice that.
const MIN_FACTS: usize = 48 << 10;
const MAX_FACTS: usize = 32 << 20;
/// Gaps of one file that are told one by one.
const MAX_GAPS: usize = 100;
/// The longest place in an archive that is followed, and the longest that a gap tells.
const MAX_PLACE: usize = 4096;
const MAX_SHOWN: usize = 512;

pub(super) fn extract(file: &ClaimedFile<'_>) -> Facts {
    let mut walk =
        Walk { file, budget: Budget::new(file.content.len()), facts: Facts::default(), weight: 0, untold: 0 };
    if !is_ambiguous(file.path.as_bytes()) || file.content.starts_with(b"PK") {
        walk.archive(file.content, file.path.file_name(), None, 0);
    }
    if walk.untold > 0 {
        let reason = format!("{} more packages and gaps of this file were not kept", walk.untold);
        walk.facts.gaps.push(file.gap(GapKind::Limit, reason));
    }
    walk.facts.packages.sort_unstable();
    walk.facts.packages.dedup();
    walk.facts
}

struct Walk<'f> {
    file: &'f ClaimedFile<'f>,
    budget: Budget,
    facts: Facts,
    weight: usize,
    untold: usize,
}

/// What is read of an archive.
#[derive(Default)]
struct Wanted<'a> {
    manifest: Option<Entry<'a>>,
    /// By the directory that they are in.
    descriptors: BTreeMap<&'a [u8], Descriptor<'a>>,
    archives: Vec<Entry<'a>>,
    has_classes: bool,
    traces: Traces,
}

#[derive(Default)]
struct Descriptor<'a> {
    properties: Option<Entry<'a>>,
    pom: Option<Entry<'a>>,
}

/// A descriptor that was read.
struct Described<'a> {
    directory: &'a [u8],
    own: Coordinates,
    licence: Option<String>,
}

impl Walk<'_> {
    /// Reads the archive `bytes`, called `name`, at `place` in the claimed file (nowhere: it is that file).
    fn archive(&mut self, bytes: &[u8], name: &[u8], place: Option<&str>, depth: usize) {
        let archive = match Archive::open(bytes, &mut self.budget) {
            Ok(archive) => archive,
            Err(flaw) => return self.flaw(flaw, place),
        };
        let mut wanted = Wanted::default();
        if let Err(flaw) = self.collect(&archive, &mut wanted) {
            self.flaw(flaw, place);
        }
        let manifest = self.manifest(&archive, &wanted, place);
        let described = self.describe(&archive, &wanted, place);
        self.identify(&archive, name, &wanted, &manifest, &described, place);
        for entry in &wanted.archives {
            self.inner(&archive, entry, place, depth);
        }
    }

    fn collect<'a>(&mut self, archive: &'a Archive<'_>, wanted: &mut Wanted<'a>) -> Result<(), Flaw> {
        let mut left = MAX_WANTED;
        archive.each(&mut self.budget, |entry| {
            wanted.traces.see(entry.name);
            if entry.name.ends_with(b".class") {
                wanted.has_classes = true;
            } else if entry.name.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF") {
                // As for a JVM, the last of several.
                wanted.manifest = Some(entry);
            } else if is_archive(entry.name) {
                wanted.archives.push(entry);
                left = left.saturating_sub(1);
            } else if let Some((directory, is_pom)) = descriptor(entry.name) {
                let descriptor = wanted.descriptors.entry(directory).or_default();
                *(if is_pom { &mut descriptor.pom } else { &mut descriptor.properties }) = Some(entry);
                left = left.saturating_sub(1);
            }
            left > 0
        })?;
        if left == 0 { Err(Flaw::Entries) } else { Ok(()) }
    }

    fn manifest(&mut self, archive: &Archive<'_>, wanted: &Wanted<'_>, place: Option<&str>) -> Manifest {
        let Some(entry) = &wanted.manifest else { return Manifest::default() };
        match archive.read_start(entry, MANIFEST_BYTES, &mut self.budget) {
            Ok(start) => Manifest::read(&start.bytes),
            Err(flaw) => {
                self.flaw(flaw, Some(&inside(place, entry.name)));
                Manifest::default()
            }
        }
    }

    fn describe<'a>(&mut self, archive: &Archive<'_>, wanted: &Wanted<'a>, place: Option<&str>) -> Vec<Described<'a>> {
        let mut all = Vec::new();
        for (&directory, descriptor) in &wanted.descriptors {
            let mut is_read = true;
            let mut read = |entry: &Option<Entry<'_>>| match entry {
                Some(entry) => match archive.read(entry, DESCRIPTOR_BYTES, &mut self.budget) {
                    Ok(content) => Some(content),
                    Err(flaw) => {
                        is_read = false;
                        self.flaw(flaw, Some(&inside(place, entry.name)));
                        None
                    }
                },
                None => None,
            };
            let stated = read(&descriptor.properties).map(|content| properties::read(&content)).unwrap_or_default();
            let project = read(&descriptor.pom).map(|content| pom::read(&content)).unwrap_or_default();
            // `META-INF/maven/GROUP/ARTIFACT` names two of the three parts as well.
            let (above, artifact) = split(directory);
            let (above, group) = split(above);
            let in_path = |name: &[u8]| (split(above).1, split(split(above).0).1, from_bytes(name).into_owned());
            let of_path = |name: &[u8]| match in_path(name) {
                (b"maven", b"META-INF", name) => Some(name),
                _ => None,
            };
            let stated = Stated {
                group: stated.group.or(project.stated.group).or_else(|| of_path(group)),
                artifact: stated.artifact.or(project.stated.artifact).or_else(|| of_path(artifact)),
                version: stated.version.or(project.stated.version),
            };
            match whole(stated) {
                Some(own) => {
                    let licence = licence::declared(&project.licences.join(", "));
                    all.push(Described { directory, own, licence });
                }
                None if !is_read => {}
                None => {
                    let reason = "a Maven descriptor without a valid group, artifact and version";
                    self.gap(GapKind::Malformed, Some(&inside(place, directory)), reason);
                }
            }
        }
        all
    }

    fn identify(
        &mut self,
        archive: &Archive<'_>,
        name: &[u8],
        wanted: &Wanted<'_>,
        manifest: &Manifest,
        described: &[Described<'_>],
        place: Option<&str>,
    ) {
        let stem = from_bytes(stem(name));
        // Only what is at the root can be the archive's own; the rest lies in code that was copied in.
        let roots: Vec<usize> =
            (0..described.len()).filter(|&index| described[index].directory.starts_with(b"META-INF/maven/")).collect();
        let own: Vec<Coordinates> = roots.iter().map(|&index| described[index].own.clone()).collect();
        let budget = &mut self.budget;
        // The loader in it makes an application no part of Spring Boot.
        let is_application = wanted.traces.is_boot_application(manifest);
        let identity = identity::of(&stem, &own, manifest, |directory| {
            let mut found = false;
            if is_application {
                return false;
            }
            let _ = archive.each(budget, |entry| {
                found = entry.name.starts_with(directory.as_bytes()) && entry.name.len() > directory.len();
                !found
            });
            found
        });
        let licence = || manifest.bare(Attribute::BundleLicense).and_then(licence::declared);
        let mut itself = None;
        match identity {
            Identity::Descriptor(index) => itself = roots.get(index).copied(),
            Identity::Known(own) if is_part(&own.group) && is_part(&own.artifact) && is_part(&own.version) => {
                self.found(Package { licence: licence(), ..package(&own) }, place);
            }
            Identity::WithoutGroup(..) | Identity::Unknown if wanted.traces.is_unpublished(&stem, manifest) => {}
            Identity::WithoutGroup(artifact, version) if is_part(&artifact) && is_part(&version) => {
                let reason = format!(
                    "nothing says the Maven group of {artifact} {version}, so advisories about it cannot be looked up"
                );
                self.gap(GapKind::Unsupported, place, &reason);
                self.found(Package { licence: licence(), ..Package::new(Ecosystem::Maven, artifact, version) }, place);
            }
            Identity::NoPackage => {}
            Identity::Unknown if !wanted.has_classes || !wanted.descriptors.is_empty() => {}
            Identity::Known(_) | Identity::WithoutGroup(..) | Identity::Unknown => {
                self.gap(GapKind::Unsupported, place, "nothing says which package this archive is");
            }
        }
        for (index, Described { directory, own, licence: named }) in described.iter().enumerate() {
            let mut package = Package { licence: named.clone(), ..package(own) };
            if Some(index) == itself {
                package.licence = package.licence.or_else(licence);
                self.found(package, place);
            } else {
                self.found(package, Some(&inside(place, directory)));
            }
        }
    }

    fn inner(&mut self, archive: &Archive<'_>, entry: &Entry<'_>, place: Option<&str>, depth: usize) {
        let place = inside(place, entry.name);
        if place.len() > MAX_PLACE {
            return self.gap(GapKind::Limit, None, "an archive inside it with too long a name was not read");
        }
        if depth == MAX_DEPTH {
            return self.gap(GapKind::Limit, Some(&place), "archives deeper inside each other than are read");
        }
        let bytes = match archive.read(entry, self.budget.held, &mut self.budget) {
            Ok(bytes) => bytes,
            Err(flaw) => return self.flaw(flaw, Some(&place)),
        };
        if is_ambiguous(entry.name) && !bytes.starts_with(b"PK") {
            return;
        }
        let held = if let Cow::Owned(bytes) = &bytes { bytes.len() as u64 } else { 0 };
        self.budget.held = self.budget.held.saturating_sub(held);
        self.archive(&bytes, split(entry.name).1, Some(&place), depth + 1);
        self.budget.held += held;
    }

    fn found(&mut self, package: Package, place: Option<&str>) {
        let package = Package { inside: place.map(str::to_owned), ..package };
        let texts = [Some(&package.name), Some(&package.version), package.licence.as_ref(), package.inside.as_ref()];
        if self.has_room(size_of::<Package>() + texts.into_iter().flatten().map(String::len).sum::<usize>()) {
            self.facts.packages.push(package);
        }
    }

    fn flaw(&mut self, flaw: Flaw, place: Option<&str>) {
        self.gap(flaw.kind(), place, &flaw.to_string());
    }

    fn gap(&mut self, kind: GapKind, place: Option<&str>, reason: &str) {
        if self.facts.gaps.len() == MAX_GAPS {
            self.untold += 1;
            return;
        }
        let reason = match place {
            Some(place) => format!("{}: {reason}", &place[..place.floor_char_boundary(MAX_SHOWN)]),
            None => reason.to_owned(),
        };
        let gap = self.file.gap(kind, reason);
        if self.has_room(size_of::<Gap>() + gap.path.as_bytes().len() + gap.reason.len()) {
            self.facts.gaps.push(gap);
        }
    }

    /// Whether so many bytes more may be kept; if not, that is counted.
    fn has_room(&mut self, bytes: usize) -> bool {
        let room = MIN_FACTS.saturating_add(self.file.content.len().saturating_mul(100)).min(MAX_FACTS);
        let fits = self.weight + bytes <= room;
        if fits {
            self.weight += bytes;
        } else {
            self.untold += 1;
        }
        fits
    }
}

/// The directory of a Maven descriptor, and whether it is the `pom.xml`.
fn descriptor(name: &[u8]) -> Option<(&[u8], bool)> {
    let (directory, file) = split(name);
    let is_pom = match file {
        b"pom.properties" => false,
        b"pom.xml" => true,
        _ => return None,
    };
    let at = memchr::memmem::find(directory, b"META-INF/maven/")?;
    (at == 0 || directory[at - 1] == b'/').then_some((directory, is_pom))
}

/// A name without its suffix.
fn stem(name: &[u8]) -> &[u8] {
    name.iter().rposition(|&byte| byte == b'.').map_or(name, |dot| &name[..dot])
}

/// The place of `name` in the archive at `place`.
fn inside(place: Option<&str>, name: &[u8]) -> String {
    match place {
        Some(place) => format!("{place}!/{}", from_bytes(name)),
        None => from_bytes(name).into_owned(),
    }
}
