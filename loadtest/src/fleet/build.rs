//! How layers are made up: the recipe of each, from its number and, for an image's own, from what lies below it.

use lazaret::ecosystem::Ecosystem;

use super::base::{packages, release_of, upgraded};
use super::published::{CATALOGUE, FleetPackage};
use super::recipe::{NODE, Operation, Recipe, place};
use super::seed::Chance;
use super::tree::Tree;
use super::{Fleet, LayerId, size};

impl Fleet {
    /// The recipes of the layers of an image, from the bottom up.
    pub(super) fn recipes(&self, image: u32) -> Vec<Recipe> {
        let mut tree = Tree::default();
        let mut recipes = Vec::new();
        let layers = self.layers(image);
        for layer in &layers {
            let recipe = match (layer, layers.first()) {
                (LayerId::Own { image, index }, Some(LayerId::Base { base })) => self.own(*image, *index, *base, &tree),
                _ => self.recipe(*layer),
            };
            tree.apply(&recipe);
            recipes.push(recipe);
        }
        recipes
    }

    pub(super) fn recipe(&self, layer: LayerId) -> Recipe {
        match layer {
            LayerId::Base { base } => self.base(base),
            LayerId::Patch { base, variant } => self.patch(base, variant),
            LayerId::Middle { number } => self.middle(number),
            LayerId::Own { image, index } => self.recipes(image).swap_remove(index as usize),
        }
    }

    fn base(&self, base: u32) -> Recipe {
        let release = release_of(base);
        let mut chance = self.chance(&[10, u64::from(base)]);
        let operations =
            vec![Operation::OsRelease(release.os_release), Operation::Database(packages(release, &mut chance))];
        self.finish("ADD rootfs.tar.xz / # buildkit".to_owned(), operations, chance)
    }

    fn patch(&self, base: u32, variant: u32) -> Recipe {
        let release = release_of(base);
        let below = packages(release, &mut self.chance(&[10, u64::from(base)]));
        let mut chance = self.chance(&[11, u64::from(base), u64::from(variant)]);
        let now = upgraded(&below, release, (0.4, 0.3), &mut chance);
        self.finish(instruction(release.packaging), vec![Operation::Database(now)], chance)
    }

    fn middle(&self, number: u32) -> Recipe {
        let mut chance = self.chance(&[12, u64::from(number)]);
        let ecosystem = *chance.one(&[Ecosystem::PyPi, Ecosystem::Npm]);
        let mut operations = Vec::new();
        self.install(ecosystem, &mut operations, &mut chance);
        self.finish(instruction(ecosystem), operations, chance)
    }

    /// A layer of one image: it installs, and may upgrade, delete or hide what lies below.
    fn own(&self, image: u32, index: u32, base: u32, below: &Tree) -> Recipe {
        let repository = u64::from(image / self.tags_per_repository());
        let ecosystem = *self.chance(&[14, repository]).one(&[Ecosystem::PyPi, Ecosystem::Npm]);
        let mut chance = self.chance(&[13, u64::from(image), u64::from(index)]);
        let mut operations = Vec::new();
        if chance.happens(0.25) {
            let now = upgraded(&below.database, release_of(base), (0.3, 0.1), &mut chance);
            operations.push(Operation::Database(now));
        }
        if chance.happens(0.1) {
            operations.push(Operation::Opaque(NODE));
        }
        for (directory, package) in &below.places {
            if chance.happens(0.08) {
                operations.push(Operation::Remove(directory.clone()));
            } else if chance.happens(0.12)
                && let Some(later) = later(package, &mut chance)
            {
                // A Python distribution's directory has the version in its name; a Node package's is written over.
                if place(&later) != *directory {
                    operations.push(Operation::Remove(directory.clone()));
                }
                operations.push(Operation::Install(later));
            }
        }
        self.install(ecosystem, &mut operations, &mut chance);
        self.finish(instruction(ecosystem), operations, chance)
    }

    /// Installs some packages, each at one version.
    fn install(&self, ecosystem: Ecosystem, operations: &mut Vec<Operation>, chance: &mut Chance) {
        let stream = if ecosystem == Ecosystem::Npm { "npm" } else { "PyPI" };
        let published: Vec<_> = CATALOGUE.stream(stream).collect();
        let fillers = CATALOGUE.fillers(ecosystem);
        for _ in 0..chance.within(&self.options.packages_per_layer) {
            let package = if chance.happens(0.6) {
                let published = chance.one(&published);
                published.at(chance.below(published.versions.len() as u64) as usize)
            } else {
                *chance.one(fillers)
            };
            let is_there = |operation: &Operation| matches!(operation, Operation::Install(p) if p.name == package.name);
            if !operations.iter().any(is_there) {
                operations.push(Operation::Install(package));
            }
        }
    }

    fn finish(&self, created_by: String, operations: Vec<Operation>, mut chance: Chance) -> Recipe {
        // Not nothing: what fills a layer also makes it differ from all others.
        let payload = size::draw(self.options.scale, self.options.largest_layer, &mut chance).max(64);
        Recipe { created_by, operations, payload, number: chance.next() }
    }

    fn chance(&self, parts: &[u64]) -> Chance {
        Chance::of(self.options.seed, parts)
    }
}

/// A later version of a package, if there is one.
fn later(package: &FleetPackage, chance: &mut Chance) -> Option<FleetPackage> {
    let stream = if package.ecosystem == Ecosystem::Npm { "npm" } else { "PyPI" };
    let (published, now) = CATALOGUE.find(stream, package)?;
    let newer = published.versions.len() - now - 1;
    (newer > 0).then(|| published.at(now + 1 + chance.below(newer as u64) as usize))
}

fn instruction(ecosystem: Ecosystem) -> String {
    let command = match ecosystem {
        Ecosystem::Apk => "apk upgrade --no-cache",
        Ecosystem::PyPi => "pip install --no-cache-dir -r requirements.txt",
        Ecosystem::Npm => "npm ci --omit=dev",
        _ => "apt-get update && apt-get upgrade -y",
    };
    format!("RUN /bin/sh -c {command} # buildkit")
}
