//! The model of an image while layers are put on it: which package is where. A few lines on purpose: it is what lazaret's
//! composition is compared with.

use std::collections::{BTreeMap, BTreeSet};

use super::published::FleetPackage;
use super::recipe::{Operation, Recipe, place};

/// What is installed.
#[derive(Default)]
pub(super) struct Tree {
    /// The packages of the distribution.
    pub(super) database: Vec<FleetPackage>,
    /// All others, by their directories.
    pub(super) places: BTreeMap<String, FleetPackage>,
}

impl Tree {
    /// Puts a layer on. What it hides is of the layers below alone, whatever the order of its entries.
    pub(super) fn apply(&mut self, layer: &Recipe) {
        for operation in &layer.operations {
            match operation {
                Operation::Remove(directory) => drop(self.places.remove(directory)),
                Operation::Opaque(directory) => {
                    self.places
                        .retain(|path, _| !path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')));
                }
                _ => {}
            }
        }
        for operation in &layer.operations {
            match operation {
                Operation::Database(packages) => self.database.clone_from(packages),
                Operation::Install(package) => drop(self.places.insert(place(package), *package)),
                _ => {}
            }
        }
    }

    /// Everything that is there now.
    pub(super) fn live(&self) -> BTreeSet<FleetPackage> {
        self.database.iter().chain(self.places.values()).copied().collect()
    }
}
