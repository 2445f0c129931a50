//! What the product says of a stack beside what it says of the flattened image.

use std::collections::BTreeSet;

use lazaret::distro::OsRelease;
use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Gap, LayerInventory, Recognised};
use lazaret_coordinator::compose::{Contents, InstalledPackage, compose};
use lazaret_tests::stack::tree::Tree;
use lazaret_tests::stack::{Entry, Stack, tar};
use lazaret_worker::analyze::analyze_unnamed;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::Ruleset;

/// The part of an image inventory that the law is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageEvidence {
    /// Packages with evidence, owner and introducing layer.
    pub packages: Vec<InstalledPackage>,
    /// The distribution.
    pub distro: Option<OsRelease>,
    /// What is only counted.
    pub recognised: Vec<(Recognised, u32)>,
}

/// How a stack fared.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Equal, and no doubt about it.
    Equal,
    /// Equal, although composition declares a gap that the flattened image does not have.
    Doubted,
    /// Not comparable: composition says of itself that it cannot tell.
    Gap(BTreeSet<Gap>),
    /// Not comparable: something deep down was replaced by what inventories do not remember.
    BlindSpot,
    /// The law is broken.
    Broken(Box<[PackageEvidence; 2]>),
}

/// The inventory of a layer of these entries.
pub fn inventory(entries: &[Entry]) -> LayerInventory {
    analyze_unnamed(&tar::archive(entries)[..], &Limits::default(), Ruleset::built_in()).expect("a valid tar").inventory
}

/// The inventories of all layers.
pub fn inventories(stack: &Stack) -> Vec<LayerInventory> {
    stack.layers.iter().map(|layer| inventory(layer)).collect()
}

/// The layers composed.
pub fn composed(inventories: &[LayerInventory]) -> Contents {
    compose(inventories.iter().map(Some))
}

/// Judges what `inventories` compose to, which need not be what they are.
pub fn judge(stack: &Stack, inventories: &[LayerInventory]) -> Verdict {
    Expected::of(stack).judge(inventories)
}

/// What the flattened image holds, with the introducing layers told from the flattened lower parts.
pub struct Expected {
    evidence: PackageEvidence,
    gaps: BTreeSet<Gap>,
    blind: bool,
}

type Identity = (Ecosystem, String, String, Option<String>);

fn identity(installed: &InstalledPackage) -> Identity {
    let package = &installed.package;
    (package.ecosystem, package.name.clone(), package.version.clone(), package.arch.clone())
}

impl Expected {
    /// Flattens `stack` layer by layer.
    ///
    /// # Panics
    /// A runtime would refuse it.
    pub fn of(stack: &Stack) -> Self {
        let mut tree = Tree::default();
        let mut seen: Vec<BTreeSet<Identity>> = Vec::new();
        let mut contents = Contents::default();
        for layer in &stack.layers {
            for entry in layer {
                tree.apply(entry).unwrap_or_else(|refusal| panic!("{refusal:?}: {entry}\n{stack}"));
            }
            tree.next_layer();
            contents = composed(&[inventory(&tree.flattened())]);
            seen.push(contents.packages.iter().map(identity).collect());
        }
        for installed in &mut contents.packages {
            let identity = identity(installed);
            let unbroken = seen.iter().rev().take_while(|packages| packages.contains(&identity)).count();
            installed.layer = (seen.len() - unbroken) as u32;
        }
        let gaps = contents.gaps.iter().map(|gap| gap.gap.clone()).collect();
        Self { evidence: evidence(contents), gaps, blind: tree.blind_spots() > 0 }
    }

    /// Compares.
    pub fn judge(&self, inventories: &[LayerInventory]) -> Verdict {
        let contents = composed(inventories);
        let gaps: BTreeSet<Gap> =
            contents.gaps.iter().map(|gap| gap.gap.clone()).filter(|gap| !self.gaps.contains(gap)).collect();
        let found = evidence(contents);
        if found == self.evidence {
            if gaps.is_empty() { Verdict::Equal } else { Verdict::Doubted }
        } else if !gaps.is_empty() {
            Verdict::Gap(gaps)
        } else if self.blind {
            Verdict::BlindSpot
        } else {
            Verdict::Broken(Box::new([self.evidence.clone(), found]))
        }
    }
}

fn evidence(contents: Contents) -> PackageEvidence {
    PackageEvidence { packages: contents.packages, distro: contents.distro, recognised: contents.recognised }
}
