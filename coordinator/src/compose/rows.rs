//! The finished state of the layers as rows: one for each package, with introducing layer, evidence and owner.

use std::collections::{BTreeMap, HashMap};

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Gap, GapKind, Link, Recognised};
use lazaret::package::{Package, SourcePackage};
use lazaret::path::LayerPath;

use super::assemblies::Manifests;
use super::executables::Accounts;
use super::presence::{Identity, identity};
use super::state::State;
use super::{Contents, InstalledPackage, LayerGap, databases, notes, perl};

/// How often symbolic links are listed as evidence: a database of many packages may have many links to it, and each
/// package would list each link.
const MAX_ALIASES: usize = 500_000;

pub(super) fn finish(mut state: State<'_>) -> Contents {
    let aliases = symbolic_evidence(&mut state);
    hidden_databases(&mut state);
    let owners = owners(&state);
    let (mut installed, mut declared) = (Rows::default(), Rows::default());
    let mut recognised: BTreeMap<Recognised, u32> = BTreeMap::new();
    let mut gaps = std::mem::take(&mut state.gaps);
    let mut aliases_left = MAX_ALIASES;
    let manifests = Manifests::of(&state);
    let accounts = Accounts::of(&state);
    for (path, slot) in &state.slots {
        if manifests.account_for(path, slot) {
            continue;
        }
        let rows = if slot.facts.declared { &mut declared } else { &mut installed };
        let owned = owners.contains_key(path);
        for package in &slot.facts.packages {
            let is_note = notes::is_note(slot.extractor, package);
            if is_note && owned {
                continue;
            }
            let row = rows.entry(identity(package)).or_insert_with(|| Row::new(package));
            row.add(path, package, is_note, &owners);
            let links = aliases.get(path).map_or(&[][..], Vec::as_slice);
            links.iter().take(aliases_left).for_each(|link| row.add(link, package, is_note, &owners));
            aliases_left = aliases_left.saturating_sub(links.len());
        }
        // What an OS package brings along is the distribution's to know; not what the OS packages themselves are.
        let is_listing = |package: &Package| package.ecosystem.is_os() && !notes::is_note(slot.extractor, package);
        let is_theirs = owned && !slot.facts.packages.iter().any(is_listing);
        // Nor is it news of what any other package is built: the advisories of that package are about all of it.
        if let Some(form) = slot.facts.recognised.filter(|_| !is_theirs && !accounts.brought(path.as_bytes())) {
            *recognised.entry(form).or_default() += 1;
        }
        let is_unknown = |gap: &Gap| matches!(gap.kind, GapKind::Unsupported | GapKind::Unread);
        let is_news = |gap: &&Gap| !is_theirs || !is_unknown(gap) && !notes::is_about_note(gap);
        let told = slot.facts.gaps.iter().filter(is_news);
        gaps.extend(told.map(|gap| LayerGap { layer: Some(slot.layer), gap: gap.clone() }));
    }
    let executables = accounts.finish();
    notes::join(&mut installed);
    perl::join(&mut installed, &state, &mut gaps);
    if aliases_left == 0 {
        let reason = "more symbolic links to files with packages than are listed as evidence of these".into();
        let gap = Gap { kind: GapKind::Limit, path: LayerPath::root(), reason };
        gaps.insert(LayerGap { layer: None, gap });
    }
    let distro = distro(&state, &aliases);
    let installed = installed.into_values().map(|row| {
        let is_note = row.is_note;
        let mut installed = row.finish(&state, false);
        if is_note {
            notes::place(&mut installed.package, distro.as_ref());
        }
        installed
    });
    Contents {
        has_os: state.has_os,
        executables,
        packages: installed.filter(is_news).collect(),
        distro,
        declared: declared.into_values().map(|row| row.finish(&state, true)).collect(),
        exposures: std::mem::take(&mut state.exposed).finish(),
        recognised: recognised.into_iter().collect(),
        gaps: gaps.into_iter().collect(),
    }
}

/// What no package manager installed is told of for just that reason: of what an OS package brought along that one tells.
fn is_news(installed: &InstalledPackage) -> bool {
    installed.package.ecosystem != Ecosystem::Generic || installed.owner.is_none()
}

pub(super) type Rows<'s> = BTreeMap<Identity<'s>, Row<'s>>;

/// A package, as far as the files that tell of it have been seen.
pub(super) struct Row<'s> {
    pub(super) package: &'s Package,
    /// Nothing but notes of executables tells of it.
    pub(super) is_note: bool,
    /// What the first file that tells of the package leaves out, another may say: a list of files names no licence, and a
    /// manifest of slices no source package.
    licence: Option<&'s String>,
    source: Option<&'s SourcePackage>,
    /// Of a kernel its modules do not know it.
    cpe: Option<&'s String>,
    pub(super) evidence: Vec<LayerPath>,
    owner: Owner<'s>,
}

/// Who owns the files that were seen so far.
#[derive(Clone, Copy)]
enum Owner<'s> {
    /// None was seen.
    Unseen,
    /// An OS package has them all: the one that has the first.
    Package(&'s str),
    /// Some belong to none.
    None,
}

impl<'s> Row<'s> {
    fn new(package: &'s Package) -> Self {
        Self {
            package,
            is_note: true,
            licence: None,
            source: None,
            cpe: None,
            evidence: Vec::new(),
            owner: Owner::Unseen,
        }
    }

    /// Takes the file at `path`, which tells of the package in the words of `package`.
    fn add(&mut self, path: &LayerPath, package: &'s Package, is_note: bool, owners: &'s HashMap<LayerPath, String>) {
        if self.is_note && !is_note {
            // A note has less to say than any database.
            (self.package, self.is_note) = (package, false);
        }
        self.licence = self.licence.or(package.licence.as_ref());
        self.source = self.source.or(package.source.as_ref());
        self.cpe = self.cpe.or(package.cpe.as_ref());
        self.owner = match (self.owner, owners.get(path)) {
            (Owner::Unseen, Some(owner)) => Owner::Package(owner),
            (Owner::Package(owner), Some(_)) => Owner::Package(owner),
            _ => Owner::None,
        };
        self.evidence.push(match &package.inside {
            Some(inside) => path.inside(inside),
            None => path.clone(),
        });
    }

    /// Whether an OS package has every file that was seen.
    pub(super) fn is_owned(&self) -> bool {
        matches!(self.owner, Owner::Package(_))
    }

    fn finish(mut self, state: &State<'_>, declared: bool) -> InstalledPackage {
        self.evidence.sort_unstable();
        self.evidence.dedup();
        self.evidence.shrink_to_fit();
        InstalledPackage {
            layer: state.presence.since(self.package, declared),
            owner: match self.owner {
                Owner::Package(owner) => Some(owner.to_owned()),
                Owner::Unseen | Owner::None => None,
            },
            // Where it is stands in the evidence, of which there may be several.
            package: Package {
                inside: None,
                licence: self.licence.cloned(),
                source: self.source.cloned(),
                cpe: self.cpe.cloned(),
                ..self.package.clone()
            },
            evidence: self.evidence,
        }
    }
}

/// Evidence that is a symbolic link: by the path that it leads to, the paths of the links. One that leads to no evidence of
/// the same kind is a gap, where its name means anything.
fn symbolic_evidence(state: &mut State<'_>) -> BTreeMap<LayerPath, Vec<LayerPath>> {
    let mut aliases: BTreeMap<LayerPath, Vec<LayerPath>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for (path, slot) in &state.slots {
        let Some(Link::Symbolic(target)) = &slot.facts.link else { continue };
        let resolved = state.links.resolve_target(path, target);
        let found = resolved.filter(|to| {
            state.slots.get(to).is_some_and(|there| there.extractor == slot.extractor && there.facts.link.is_none())
        });
        match found {
            Some(to) => aliases.entry(to).or_default().push(path.clone()),
            None if databases::name_proves_nothing(slot.extractor) => {}
            None => {
                let reason = "a symbolic link to a file that is missing, or that is not read under its own name".into();
                let gap = Gap { kind: GapKind::UnresolvedLink, path: path.clone(), reason };
                gaps.push(LayerGap { layer: Some(slot.layer), gap });
            }
        }
    }
    state.gaps.extend(gaps);
    aliases
}

/// A database directory that is, or lies below, a symbolic link to where nothing is looked for.
fn hidden_databases(state: &mut State<'_>) {
    for directory in databases::directories() {
        let resolved = state.links.resolve(&directory);
        if resolved.as_ref().is_none_or(|to| *to != directory && !databases::is_directory(to)) {
            let reason = "a package database would be here, but a symbolic link leads elsewhere".into();
            state.gap(None, Gap { kind: GapKind::UnresolvedLink, path: directory, reason });
        }
    }
}

fn owners(state: &State<'_>) -> HashMap<LayerPath, String> {
    let mut owners = HashMap::new();
    for (path, package, evidence) in state.executables.of_os_packages() {
        if state.slots.contains_key(path) && state.slots.contains_key(evidence) {
            owners.insert(LayerPath::from_entry(path), package.to_owned());
        }
    }
    for slot in state.slots.values() {
        for (path, index) in &slot.facts.owned {
            let package = slot.facts.packages.get(*index as usize).map(|package| &package.name);
            let (Some(owner), Some(path)) = (slot.facts.owner.as_ref().or(package), state.links.resolve_parent(path))
            else {
                continue;
            };
            owners.insert(path, owner.clone());
        }
    }
    owners
}

/// os-release(5): `/etc/os-release` wins over `/usr/lib/os-release`.
fn distro(state: &State<'_>, aliases: &BTreeMap<LayerPath, Vec<LayerPath>>) -> Option<lazaret::distro::OsRelease> {
    let preferred = LayerPath::from("etc/os-release");
    let linked = aliases.iter().find(|(_, links)| links.contains(&preferred)).map(|(to, _)| to);
    let path = linked.cloned().or_else(|| state.slots.contains_key(&preferred).then_some(preferred));
    let path = path.unwrap_or_else(|| LayerPath::from("usr/lib/os-release"));
    state.slots.get(&path)?.facts.os_release.as_deref().cloned()
}
