//! What executables say of the OS packages that they are from, beside what the databases say.

use std::collections::BTreeMap;

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Gap, PACKAGE_NOTE};
use lazaret::package::Package;

use super::databases;
use super::presence::Identity;
use super::rows::Rows;

/// Whether `package` stands in the note of an executable.
pub(super) fn is_note(extractor: &str, package: &Package) -> bool {
    databases::reads_any_file(extractor) && package.ecosystem.is_os()
}

/// Whether a gap is about such a note.
pub(super) fn is_about_note(gap: &Gap) -> bool {
    gap.reason.starts_with(PACKAGE_NOTE)
}

/// Ecosystem, name, version without its epoch, which notes leave out, and architecture.
type Key<'s> = (Ecosystem, &'s str, &'s str, Option<&'s str>);

/// Makes executables further evidence of the packages that databases list. A note has the name of the source package
/// mostly; then it goes to that one of its packages which comes first by name.
pub(super) fn join(rows: &mut Rows<'_>) {
    let alone: Vec<Identity<'_>> =
        rows.iter().filter(|(key, row)| row.is_note && key.0.is_os()).map(|(key, _)| *key).collect();
    if alone.is_empty() {
        return;
    }
    let (mut by_name, mut by_source) = (BTreeMap::new(), BTreeMap::new());
    for (key, row) in rows.iter().filter(|(key, row)| !row.is_note && key.0.is_os()) {
        let &(ecosystem, name, version, arch, _) = key;
        by_name.entry((ecosystem, name, without_epoch(version), arch)).or_insert(*key);
        if let Some(source) = &row.package.source {
            let source: Key<'_> = (ecosystem, &source.name, without_epoch(&source.version), arch);
            by_source.entry(source).or_insert(*key);
        }
    }
    for note in alone {
        let Some(&listed) = find(&by_name, note).or_else(|| find(&by_source, note)) else { continue };
        let Some(told) = rows.remove(&note) else { continue };
        if let Some(row) = rows.get_mut(&listed) {
            row.evidence.extend(told.evidence);
        }
    }
}

fn find<'m, 's>(listed: &'m BTreeMap<Key<'s>, Identity<'s>>, note: Identity<'s>) -> Option<&'m Identity<'s>> {
    let (ecosystem, name, version, arch, _) = note;
    let key = (ecosystem, name, without_epoch(version), arch);
    let same = listed.get(&key);
    // Where the note has no architecture any will do.
    let any = || {
        listed
            .range(key..)
            .next()
            .filter(|(found, _)| arch.is_none() && (found.0, found.1, found.2) == (ecosystem, name, key.2))
    };
    same.or_else(|| any().map(|(_, identity)| identity))
}

fn without_epoch(version: &str) -> &str {
    let epoch = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    version.split_once(':').filter(|(before, _)| epoch(before)).map_or(version, |(_, version)| version)
}

/// Says of a package that only a note tells of whether it is from another distribution than the image's: then the advisories
/// of this one say nothing about it.
pub(super) fn place(package: &mut Package, distro: Option<&OsRelease>) {
    let Some(distro) = distro else { return };
    let Some(at) = package.qualifiers.iter().position(|(key, _)| key == "distro") else { return };
    let named = package.qualifiers.get(at).map_or("", |(_, value)| value.as_str());
    let is_same = named.strip_prefix(distro.id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    if is_same {
        // It is said of every package of the image.
        package.qualifiers.remove(at);
    } else {
        package.registry = Some("registry".into());
    }
}

#[cfg(test)]
mod tests;
