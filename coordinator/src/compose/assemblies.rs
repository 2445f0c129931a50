//! Assemblies of .NET that a dependency manifest accounts for: it says what they are better than they do.

use std::collections::HashSet;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::ASSEMBLY;
use lazaret::path::{LayerPath, split};

use super::databases;
use super::state::{Slot, State};

/// Directories with a dependency manifest.
pub(super) struct Manifests<'s> {
    directories: HashSet<&'s [u8]>,
}

impl<'s> Manifests<'s> {
    /// Those that stand and could be read.
    pub(super) fn of(state: &'s State<'_>) -> Self {
        let manifests = state.slots.iter().filter(|(_, slot)| slot.extractor == "dotnet-deps");
        let read = manifests.filter(|(_, slot)| !slot.facts.packages.is_empty() || slot.facts.gaps.is_empty());
        Self { directories: read.map(|(path, _)| path.parent()).collect() }
    }

    /// Whether the evidence at `path` is an assembly in the directory of a manifest, or in a `runtimes/PLATFORM/lib/FRAMEWORK`
    /// below one.
    ///
    /// An inventory does not know which files a manifest names. An application's directory is written by one build as a rule,
    /// so the manifest is believed for all of it; deeper directories (plug-ins) are no part of that build.
    pub(super) fn account_for(&self, path: &LayerPath, slot: &Slot<'_>) -> bool {
        !self.directories.is_empty() && is_assembly(path, slot) && {
            let directory = path.parent();
            let mut above = directory;
            self.directories.contains(directory)
                || (0..4).any(|_| {
                    let (parent, name) = split(above);
                    above = parent;
                    name == b"runtimes" && self.directories.contains(parent)
                })
        }
    }
}

/// Whether all that is told of the file is what an assembly says of itself. A program that holds an application's manifest
/// has another name.
fn is_assembly(path: &LayerPath, slot: &Slot<'_>) -> bool {
    let ending = path.as_bytes().last_chunk::<4>().map(|ending| ending.to_ascii_lowercase());
    databases::reads_any_file(slot.extractor)
        && ending.is_some_and(|ending| ending == *b".dll" || ending == *b".exe")
        && slot.facts.packages.iter().all(|package| package.ecosystem == Ecosystem::NuGet)
        && slot.facts.gaps.iter().all(|gap| gap.reason.starts_with(ASSEMBLY))
        && slot.facts.recognised.is_none()
}

#[cfg(test)]
mod tests {
    use lazaret::inventory::{Evidence, Facts, Gap, GapKind, LayerInventory};
    use lazaret::package::Package;

    use super::super::compose;

    fn evidence(path: &str, extractor: &str, name: &str, gap: Option<&str>) -> Evidence {
        let packages = match name {
            "" => Vec::new(),
            name => vec![Package::new(super::Ecosystem::NuGet, name, "1.0.0")],
        };
        let gaps = gap.map(|reason| Gap { kind: GapKind::Unread, path: path.into(), reason: reason.into() });
        let facts = Facts { packages, gaps: gaps.into_iter().collect(), ..Facts::default() };
        Evidence { path: path.into(), extractor: extractor.into(), facts }
    }

    #[test]
    fn a_manifest_accounts_for_its_directory() {
        for (path, gap, told) in [
            ("app/A.dll", None, true),
            ("app/A.EXE", None, true),
            ("app/runtimes/unix/lib/net8.0/A.dll", None, true),
            ("app/A.dll", Some("assembly of .NET that does not say its version"), true),
            ("app/plugins/A.dll", None, false),
            ("app/plugins/runtimes/unix/lib/net8.0/A.dll", None, false),
            ("other/A.dll", None, false),
            ("broken/A.dll", None, false),
            ("app/Single", None, false),
            ("app/go.exe", Some("executable whose sections are too many"), false),
        ] {
            let mut layer = LayerInventory {
                evidence: vec![
                    evidence(path, "executable", "A", gap),
                    evidence("app/Shop.deps.json", "dotnet-deps", "Shop", None),
                    evidence("broken/Shop.deps.json", "dotnet-deps", "", Some("deps.json: broken")),
                ],
                ..LayerInventory::default()
            };
            layer.evidence.sort_by(|a, b| a.path.cmp(&b.path));
            let contents = compose([Some(&layer)]);
            let names: Vec<&str> = contents.packages.iter().map(|row| row.package.name.as_str()).collect();
            assert_eq!(names, if told { &["Shop"][..] } else { &["A", "Shop"] }, "{path}");
            assert_eq!(contents.gaps.len(), 1 + usize::from(gap.is_some() && !told), "{path}");
        }
    }
}
