//! The oracle: what a scan of an image has to find, computed from the seed and with nothing of lazaret's own reading,
//! composing and comparing.

use lazaret::ecosystem::Ecosystem;

use super::base::release_of;
use super::published::{CATALOGUE, FleetPackage};
use super::recipe::{Operation, Recipe};
use super::tree::Tree;
use super::{Fleet, LayerId};

/// What an image holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedImage {
    /// OSV's name of the distribution and release, such as `Debian:11`.
    pub stream: &'static str,
    /// Live packages, each with its introducing layer, sorted by package.
    pub packages: Vec<(FleetPackage, u32)>,
}

/// A finding that a scan has to report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectedFinding {
    /// The id of the OSV record.
    pub advisory: &'static str,
    /// The CVE, where the record is about exactly one: such findings may be reported under it.
    pub cve: Option<&'static str>,
    /// Whose package it is.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The first version without it.
    pub fixed: &'static str,
}

impl Fleet {
    /// What `image` holds.
    pub fn expected(&self, image: u32) -> ExpectedImage {
        let packages = introduced(&self.recipes(image));
        ExpectedImage { stream: self.stream(image), packages }
    }

    /// What is known about the packages of `image` in the night `night`, sorted. Versions are compared by their place in the
    /// list of the package's versions, not by the rules of their ecosystem.
    pub fn expected_findings(&self, image: u32, night: u32) -> Vec<ExpectedFinding> {
        let expected = self.expected(image);
        let mut findings = Vec::new();
        for (package, _) in &expected.packages {
            let stream = match package.ecosystem {
                Ecosystem::PyPi => "PyPI",
                Ecosystem::Npm => "npm",
                _ => expected.stream,
            };
            let Some((published, version)) = CATALOGUE.find(stream, package) else { continue };
            let known = published.advisories.iter().filter(|fact| fact.night <= night && version < fact.fixed);
            findings.extend(known.map(|fact| ExpectedFinding {
                advisory: fact.id,
                cve: Some(fact.cve).filter(|cve| !cve.is_empty()),
                ecosystem: package.ecosystem,
                package: package.name,
                version: package.version,
                fixed: published.versions[fact.fixed],
            }));
        }
        findings.sort_unstable();
        findings
    }

    /// The packages that evidence in this layer alone tells of, sorted: what analysing it has to yield.
    pub fn expected_layer(&self, image: u32, layer: usize) -> Vec<FleetPackage> {
        let packages_of = |recipe: &Recipe| {
            let listed = recipe.operations.iter().flat_map(|operation| match operation {
                Operation::Database(packages) => packages.as_slice(),
                Operation::Install(package) => std::slice::from_ref(package),
                _ => &[],
            });
            let mut packages: Vec<FleetPackage> = listed.copied().collect();
            packages.sort_unstable();
            packages
        };
        self.recipes(image).get(layer).map(packages_of).unwrap_or_default()
    }

    /// OSV's name of the release that `image` is made from.
    fn stream(&self, image: u32) -> &'static str {
        match self.layers(image).first() {
            Some(LayerId::Base { base }) => release_of(*base).stream,
            _ => "",
        }
    }
}

/// What is there on top of these layers, each with the lowest layer from which it is there up to the top.
pub(super) fn introduced(layers: &[Recipe]) -> Vec<(FleetPackage, u32)> {
    let mut tree = Tree::default();
    let mut after = Vec::new();
    for layer in layers {
        tree.apply(layer);
        after.push(tree.live());
    }
    let since = |package: &FleetPackage| {
        let unbroken = after.iter().rev().take_while(|live| live.contains(package)).count();
        (after.len() - unbroken) as u32
    };
    after.last().into_iter().flatten().map(|package| (*package, since(package))).collect()
}
