//! Since which layer each package has been there without a break.

use std::collections::HashMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::package::Package;

/// What makes two records one package.
pub(super) type Identity = (Ecosystem, String, String, Option<String>, Option<String>);

pub(super) fn identity(package: &Package) -> Identity {
    let Package { ecosystem, name, version, arch, registry, .. } = package;
    (*ecosystem, name.clone(), version.clone(), arch.clone(), registry.clone())
}

struct Since {
    layer: u32,
    /// How many files tell of the package now.
    files: u32,
}

/// Counts of files for each package, and since when.
#[derive(Default)]
pub(super) struct Presence {
    packages: HashMap<Identity, Since>,
    /// Packages that no file told of at some moment of this layer; gone unless another came.
    lost: Vec<Identity>,
}

impl Presence {
    pub(super) fn add(&mut self, layer: u32, packages: &[Package]) {
        for package in packages {
            self.packages.entry(identity(package)).or_insert(Since { layer, files: 0 }).files += 1;
        }
    }

    pub(super) fn remove(&mut self, packages: &[Package]) {
        for package in packages {
            let identity = identity(package);
            if let Some(since) = self.packages.get_mut(&identity) {
                since.files = since.files.saturating_sub(1);
                if since.files == 0 {
                    self.lost.push(identity);
                }
            }
        }
    }

    /// What is told of again within the same layer, as when a database is replaced, was never away.
    pub(super) fn end_layer(&mut self) {
        for identity in self.lost.drain(..) {
            if self.packages.get(&identity).is_some_and(|since| since.files == 0) {
                self.packages.remove(&identity);
            }
        }
    }

    pub(super) fn since(&self, identity: &Identity) -> u32 {
        self.packages.get(identity).map_or(0, |since| since.layer)
    }
}
