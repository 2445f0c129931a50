//! Asks the snapshot about one package, under every name and in every ecosystem that speak about it.

use std::collections::{BTreeMap, BTreeSet};

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

use super::distro::{self, NamedBy, Stream};
use super::range::{Installed, Verdict};
use crate::advisory::feed::osv::is_modular;
use crate::advisory::record::{Advisory, Affected, EventKind};
use crate::advisory::{Snapshot, SnapshotError};
use crate::version::Scheme;

/// A record that affects a package.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) advisory: Advisory<'a>,
    /// Everything it says about the package.
    pub(super) entries: Vec<Affected<'a>>,
    /// Where it stood.
    pub(super) ecosystem: &'a str,
    /// The name under which it stood.
    pub(super) name: String,
    /// The version that was judged, and its scheme.
    pub(super) version: String,
    pub(super) scheme: Scheme,
}

/// What the snapshot says about one package.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The records that affect it, by id.
    pub(super) records: Vec<Record<'a>>,
    /// Reason and advisory, where it cannot be told.
    pub(super) undecided: Vec<(String, String)>,
}

/// Where packages of one image are looked up.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    os: Option<&'a OsRelease>,
    stream: Option<Stream>,
    /// The snapshot's ecosystems that the stream wants.
    ecosystems: Vec<&'a str>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(os: Option<&'a OsRelease>, snapshot: &'a Snapshot) -> Self {
        let stream = os.and_then(distro::stream);
        let names = snapshot.ecosystems().iter().map(|info| info.name.as_str());
        let wanted = |name: &&str| {
            stream.as_ref().is_some_and(|stream| stream.ecosystems.iter().any(|wanted| wanted.matches(name)))
        };
        let ecosystems = names.filter(wanted).collect();
        Self { os, stream, ecosystems }
    }
}

/// OSV's name for a language ecosystem, and the order of its versions; `None` for the packages of a distribution.
pub(super) fn language(ecosystem: Ecosystem) -> Option<(&'static str, Scheme)> {
    match ecosystem {
        Ecosystem::PyPi => Some(("PyPI", Scheme::Pep440)),
        Ecosystem::Npm => Some(("npm", Scheme::Npm)),
        Ecosystem::Cargo => Some(("crates.io", Scheme::Semver)),
        Ecosystem::Maven => Some(("Maven", Scheme::Maven)),
        Ecosystem::Golang => Some(("Go", Scheme::Semver)),
        Ecosystem::NuGet => Some(("NuGet", Scheme::NuGet)),
        Ecosystem::Gem => Some(("RubyGems", Scheme::Gem)),
        Ecosystem::Composer => Some(("Packagist", Scheme::Composer)),
        Ecosystem::Hex => Some(("Hex", Scheme::Semver)),
        Ecosystem::Swift => Some(("SwiftURL", Scheme::Semver)),
        // Julia's `VersionNumber` puts builds in order as Dart does; a fix of a binary package is often but the next build.
        Ecosystem::Julia => Some(("Julia", Scheme::Pub)),
        Ecosystem::Cran => Some(("CRAN", Scheme::Cran)),
        Ecosystem::Hackage => Some(("Hackage", Scheme::Hackage)),
        Ecosystem::Opam => Some(("opam", Scheme::Opam)),
        Ecosystem::Pub => Some(("Pub", Scheme::Pub)),
        Ecosystem::Bitnami => Some(("Bitnami", Scheme::Semver)),
        _ => None,
    }
}

/// Everything that affects `package`; nothing, if it is not the public registry's package of that name.
pub(super) fn find<'a>(
    package: &Package,
    sources: &Sources<'a>,
    snapshot: &'a Snapshot,
) -> Result<Found<'a>, SnapshotError> {
    let mut found = Found::default();
    if package.registry.is_some() {
        return Ok(found);
    }
    if let Some((ecosystem, scheme)) = language(package.ecosystem) {
        let version = upstream(package);
        let query = |ecosystem| Query { package, ecosystem, name: &package.name, version, scheme };
        query(ecosystem).ask(snapshot, &BTreeSet::new(), &mut found)?;
        // A suffix is another repository that the same tool installs from, such as Drupal's beside Packagist.
        let is_other = |name: &str| name.strip_prefix(ecosystem).is_some_and(|suffix| suffix.starts_with(':'));
        for info in snapshot.ecosystems().iter().filter(|info| is_other(&info.name)) {
            query(info.name.as_str()).ask(snapshot, &BTreeSet::new(), &mut found)?;
        }
    } else if let Some(stream) = sources.stream.as_ref().filter(|stream| stream.packaging == package.ecosystem) {
        for (name, version) in names(package, stream.named_by) {
            let mut decided = BTreeSet::new();
            let query = |ecosystem| Query { package, ecosystem, name, version, scheme: stream.scheme };
            if let Some(pro) = sources.os.and_then(|os| distro::ubuntu_pro(os, version)) {
                for info in snapshot.ecosystems().iter().filter(|info| pro.matches(&info.name)) {
                    // What extended maintenance says of its own versions, the plain stream cannot know.
                    decided.extend(query(info.name.as_str()).ask(snapshot, &BTreeSet::new(), &mut found)?);
                }
            }
            for ecosystem in &sources.ecosystems {
                query(ecosystem).ask(snapshot, &decided, &mut found)?;
            }
        }
    }
    // One record may stand in several ecosystems or under both names; the first that was asked knows best.
    found.records.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
    found.records.dedup_by(|later, first| later.advisory.id == first.advisory.id);
    Ok(found)
}

/// The version that a language's advisories speak of. Bitnami's packages have a revision behind it (`7.4.2-0`), which would
/// pass for a pre-release.
fn upstream(package: &Package) -> &str {
    let revision = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match package.version.rsplit_once('-') {
        Some((version, tail)) if package.ecosystem == Ecosystem::Bitnami && revision(tail) => version,
        _ => &package.version,
    }
}

/// The names and versions under which advisories may know `package`.
fn names(package: &Package, named_by: NamedBy) -> Vec<(&str, &str)> {
    let own = (package.name.as_str(), package.version.as_str());
    let source = package.source.as_ref().map_or(own, |source| {
        // An rpm's source has no epoch in its name; the package's own version is the fuller one of the same.
        let same = own.1.split_once(':').is_some_and(|(_, version)| version == source.version);
        (source.name.as_str(), if same { own.1 } else { source.version.as_str() })
    });
    match named_by {
        NamedBy::Source => vec![source],
        NamedBy::Binary => vec![own],
        NamedBy::Both if source.0 == own.0 => vec![own],
        NamedBy::Both => vec![source, own],
    }
}

struct Query<'q, 'e> {
    package: &'q Package,
    ecosystem: &'e str,
    name: &'q str,
    version: &'q str,
    scheme: Scheme,
}

impl<'a> Query<'_, 'a> {
    /// Adds to `found` what the records here say, those in `decided` apart; the ids of all the records here.
    fn ask(
        &self,
        snapshot: &'a Snapshot,
        decided: &BTreeSet<String>,
        found: &mut Found<'a>,
    ) -> Result<Vec<String>, SnapshotError> {
        let hits = snapshot.lookup(self.ecosystem, self.name)?;
        let mut records: BTreeMap<String, (Advisory<'a>, Vec<Affected<'a>>)> = BTreeMap::new();
        for hit in hits {
            if decided.contains(hit.advisory.id.as_ref()) {
                continue;
            }
            let record = records.entry(hit.advisory.id.to_string()).or_insert_with(|| (hit.advisory, Vec::new()));
            if self.package.ecosystem != Ecosystem::Rpm || is_of_module(&hit.affected, self.package) {
                record.1.push(hit.affected);
            }
        }
        let asked = records.keys().cloned().collect();
        let installed = Installed::new(self.scheme, self.version);
        for (id, (advisory, entries)) in records {
            let verdicts: Vec<Verdict> = entries.iter().map(|entry| installed.judge(entry)).collect();
            if verdicts.contains(&Verdict::Affected) {
                found.records.push(Record {
                    advisory,
                    entries,
                    ecosystem: self.ecosystem,
                    name: self.name.to_owned(),
                    version: self.version.to_owned(),
                    scheme: self.scheme,
                });
            } else if let Some(Verdict::Undecided(reason)) =
                verdicts.into_iter().find(|verdict| *verdict != Verdict::NotAffected)
            {
                found.undecided.push((reason, id));
            }
        }
        Ok(asked)
    }
}

/// Whether an entry is about the module stream that an rpm came from; a package of no module and one of a module have
/// nothing to do with each other, however alike their names are.
fn is_of_module(affected: &Affected<'_>, package: &Package) -> bool {
    let label = package.module.as_deref();
    let is_module = label.is_some() || is_modular(&package.version);
    match affected.module.as_deref() {
        None => {
            let fixed = affected.ranges.iter().flat_map(|range| &range.events).any(|e| e.kind == EventKind::Fixed);
            !is_module || !fixed
        }
        Some(_) if !is_module => false,
        Some(wanted) => {
            let mut installed = label.unwrap_or_default().split(':');
            match (wanted.split_once(':'), installed.next(), installed.next()) {
                (Some((name, stream)), Some(own_name), Some(own_stream)) => name != own_name || stream == own_stream,
                _ => true,
            }
        }
    }
}
