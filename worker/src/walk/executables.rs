//! The executables of a layer, and which file of it says whose each is.

use std::collections::{BTreeMap, HashMap};

use lazaret::inventory::{Evidence, Executable, Owner};
use lazaret::path::LayerPath;

use crate::extract::owned;

/// Gives each executable, of which `found` has the sizes, the evidence that says whose it is, and takes the keys of owned
/// files out of `evidence`.
pub(super) fn owned_by(found: BTreeMap<LayerPath, u64>, evidence: &mut [Evidence]) -> Vec<Executable> {
    let mut executables: Vec<Executable> =
        found.into_iter().map(|(path, bytes)| Executable { path, bytes, owner: None }).collect();
    let by_key: HashMap<u64, usize> =
        executables.iter().enumerate().map(|(at, found)| (owned::key(found.path.as_bytes()), at)).collect();
    for (index, evidence) in (0..).zip(&mut *evidence) {
        for (file, package) in std::mem::take(&mut evidence.facts.files) {
            if let Some(executable) = by_key.get(&file).and_then(|&at| executables.get_mut(at)) {
                executable.owner.get_or_insert(Owner { evidence: index, package });
            }
        }
    }
    for executable in executables.iter_mut().filter(|executable| executable.owner.is_none()) {
        let own = evidence.binary_search_by(|found| found.path.cmp(&executable.path)).ok();
        let telling = own.filter(|&at| evidence.get(at).is_some_and(|found| !found.facts.packages.is_empty()));
        executable.owner = telling.and_then(|at| Some(Owner { evidence: u32::try_from(at).ok()?, package: 0 }));
    }
    executables
}

#[cfg(test)]
mod tests {
    use lazaret::ecosystem::Ecosystem;
    use lazaret::inventory::Facts;
    use lazaret::package::Package;

    use super::*;

    #[test]
    fn a_list_of_files_comes_before_what_an_executable_says_of_itself() {
        let evidence = |path: &str, facts| Evidence { path: path.into(), extractor: "x".into(), facts };
        let packages = vec![Package::new(Ecosystem::Golang, "a", "1")];
        let mut all = [
            evidence("app/tool", Facts { packages: packages.clone(), ..Facts::default() }),
            evidence("usr/bin/listed", Facts { packages, ..Facts::default() }),
            evidence(
                "var/lib/dpkg/info/x.list",
                Facts { files: vec![(owned::key(b"bin/listed"), 0)], ..Facts::default() },
            ),
        ];
        let found = ["app/mute", "app/tool", "usr/bin/listed"].map(|path| (LayerPath::from(path), 7));
        let owners: Vec<_> =
            owned_by(found.into(), &mut all).into_iter().map(|found| found.owner.map(|o| o.evidence)).collect();
        assert_eq!(owners, [None, Some(0), Some(2)]);
        assert!(all.iter().all(|evidence| evidence.facts.files.is_empty()));
    }
}
