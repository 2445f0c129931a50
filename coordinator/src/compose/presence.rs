//! Since which layer each package has been there without a break.

use std::collections::HashMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;

/// What makes two records one package, in the order of rows.
pub(super) type Identity<'p> = (Ecosystem, &'p str, &'p str, Option<&'p str>, Option<&'p str>);

pub(super) fn identity(package: &Package) -> Identity<'_> {
    let Package { ecosystem, name, version, arch, registry, .. } = package;
    (*ecosystem, name, version, arch.as_deref(), registry.as_deref())
}

/// An identity in a few bytes: an image may have hundreds of thousands of packages, each of them in several layers. So
/// long a part of BLAKE3 that nobody can make two packages share one.
type Key = [u8; 24];

fn key(package: &Package, declared: bool) -> Key {
    let (ecosystem, name, version, arch, registry) = identity(package);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(arch.is_some()), u8::from(registry.is_some()), u8::from(declared)]);
    for part in [ecosystem.name(), name, version, arch.unwrap_or_default(), registry.unwrap_or_default()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut key = [0; 24];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..24]);
    key
}

struct Since {
    layer: u32,
    /// How many files tell of the package now.
    files: u32,
}

/// Counts of files for each package, and since when.
#[derive(Default)]
pub(super) struct Presence {
    packages: HashMap<Key, Since>,
    /// Packages that no file told of at some moment of this layer; gone unless another came.
    lost: Vec<Key>,
}

impl Presence {
    pub(super) fn add(&mut self, layer: u32, facts: &Facts) {
        for package in &facts.packages {
            self.packages.entry(key(package, facts.declared)).or_insert(Since { layer, files: 0 }).files += 1;
        }
    }

    pub(super) fn remove(&mut self, facts: &Facts) {
        for package in &facts.packages {
            let key = key(package, facts.declared);
            if let Some(since) = self.packages.get_mut(&key) {
                since.files = since.files.saturating_sub(1);
                if since.files == 0 {
                    self.lost.push(key);
                }
            }
        }
    }

    /// What is told of again within the same layer, as when a database is replaced, was never away.
    pub(super) fn end_layer(&mut self) {
        for key in self.lost.drain(..) {
            if self.packages.get(&key).is_some_and(|since| since.files == 0) {
                self.packages.remove(&key);
            }
        }
    }

    /// The layer since which a file has been telling that `package` is installed, or declared.
    pub(super) fn since(&self, package: &Package, declared: bool) -> u32 {
        self.packages.get(&key(package, declared)).map_or(0, |since| since.layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_apart_what_an_identity_does() {
        let package = |name: &str, version: &str, arch: Option<&str>| Package {
            arch: arch.map(str::to_owned),
            ..Package::new(Ecosystem::Deb, name, version)
        };
        let all = [
            package("a", "bc", None),
            package("ab", "c", None),
            package("ab", "c", Some("")),
            package("ab", "", Some("c")),
            Package { registry: Some("c".into()), ..package("ab", "", None) },
        ];
        let keys: std::collections::HashSet<_> = [false, true]
            .into_iter()
            .flat_map(|declared| all.iter().map(move |package| key(package, declared)))
            .collect();
        assert_eq!(keys.len(), 2 * all.len());
        let mut licensed = all[0].clone();
        licensed.licence = Some("MIT".into());
        assert_eq!(key(&licensed, false), key(&all[0], false), "a licence makes no other package");
    }
}
