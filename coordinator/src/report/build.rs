//! A report out of an inventory, what matching found, and the policy. Pure.

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::image::Image;
use lazaret::inventory::{GapKind, Recognised};
use lazaret::text::from_bytes;

use super::*;
use crate::compose::{Contents, LayerGap};
use crate::inventory::ImageInventory;
use crate::matching::{Finding, Matched};
use crate::pipeline::Inventoried;
use crate::policy::Policy;

/// What a report is made of, besides the inventory.
pub struct Context<'a> {
    /// What the user typed.
    pub reference: &'a str,
    /// Which scanners ran.
    pub scanners: &'a [Scanner],
    /// What is suppressed and left out.
    pub policy: &'a Policy,
    /// Which snapshot findings come from, with its date.
    pub snapshot: Option<SnapshotSummary>,
    /// What matching found; `None` if it did not run although it was asked to, for this reason.
    pub matched: Result<Matched, String>,
}

/// What may be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scanner {
    /// Installed packages.
    Packages,
    /// Vulnerabilities of them.
    Vuln,
}

impl Scanner {
    /// Its name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Vuln => "vuln",
        }
    }
}

/// Builds the report on one image.
pub fn build(image: &Image, inventoried: &Inventoried, context: Context<'_>) -> Report {
    let inventory = &inventoried.inventory;
    let contents = &inventory.contents;
    let distro = contents.distro.as_ref();
    let purls: Vec<String> = contents.packages.iter().map(|p| purl::purl(&p.package, distro)).collect();
    let instructions = inventory.config.instructions();
    let (matched, not_matched) = match context.matched {
        Ok(matched) => (matched, None),
        Err(reason) => (Matched::default(), Some(reason)),
    };
    let rows = matched.findings.iter().map(|finding| finding_row(finding, contents, &purls, &instructions)).collect();
    let (findings, suppressed) = context.policy.apply(rows);
    let mut gaps: Vec<GapRow> = contents.gaps.iter().chain(&matched.gaps).map(gap_row).collect();
    gaps.extend(whole_image_gaps(contents, not_matched));
    gaps.sort_unstable();
    gaps.dedup();
    let unread = unread(contents);
    let complete = gaps.is_empty() && unread.is_empty() && inventoried.failed.is_empty();
    let verdict = match (complete, findings.is_empty()) {
        (false, _) => Verdict::Incomplete,
        (true, false) => Verdict::Findings,
        (true, true) => Verdict::Clean,
    };
    Report {
        schema: SCHEMA,
        image: image_summary(image, inventory, context.reference),
        distro: distro.map(|distro| DistroSummary {
            id: distro.id.clone(),
            version_id: distro.version_id.clone(),
            name: distro.pretty_name.clone(),
            support_end: distro.support_end.clone(),
        }),
        layers: layers(inventoried, &instructions),
        packages: packages(contents, &purls),
        findings,
        suppressed,
        exposures: Vec::new(),
        coverage: Coverage {
            scanners: context.scanners.iter().map(|scanner| scanner.name()).collect(),
            complete,
            distro: match (distro, contents.has_os) {
                (Some(_), _) => DistroState::Known,
                (None, true) => DistroState::Unknown,
                (None, false) => DistroState::None,
            },
            snapshot: context.snapshot,
            ecosystems: ecosystems(contents, &matched),
            unread,
        },
        gaps,
        verdict,
    }
}

fn image_summary(image: &Image, inventory: &ImageInventory, reference: &str) -> ImageSummary {
    let annotation = |name: &str| inventory.annotations.get(&format!("org.opencontainers.image.base.{name}")).cloned();
    let (name, digest) = (annotation("name"), annotation("digest"));
    ImageSummary {
        reference: reference.to_owned(),
        source: image.source,
        digest: image.digest,
        platform: inventory.platform.to_string(),
        labels: inventory.config.config.labels.clone(),
        base: (name.is_some() || digest.is_some()).then_some(BaseImage { name, digest }),
    }
}

fn layers(inventoried: &Inventoried, instructions: &[Option<&str>]) -> Vec<LayerSummary> {
    let failed: BTreeMap<u32, &String> = inventoried.failed.iter().map(|(index, reason)| (*index, reason)).collect();
    let layers = inventoried.inventory.layers.iter().enumerate();
    layers
        .map(|(index, layer)| LayerSummary {
            index: index as u32,
            digest: layer.blob.digest,
            diff_id: layer.diff_id,
            size: layer.blob.size,
            instruction: instructions.get(index).copied().flatten().map(str::to_owned),
            error: failed.get(&(index as u32)).map(|&reason| reason.clone()),
        })
        .collect()
}

fn packages(contents: &Contents, purls: &[String]) -> Vec<PackageRow> {
    let rows = contents.packages.iter().zip(purls);
    rows.map(|(installed, purl)| PackageRow {
        purl: purl.clone(),
        name: installed.package.name.clone(),
        version: installed.package.version.clone(),
        ecosystem: installed.package.ecosystem,
        layer: installed.layer,
        evidence: installed.evidence.iter().map(ToString::to_string).collect(),
        owner: installed.owner.clone(),
        source: installed
            .package
            .source
            .as_ref()
            .map(|source| SourceRow { name: source.name.clone(), version: source.version.clone() }),
        licence: installed.package.licence.clone(),
        module: installed.package.module.clone(),
    })
    .collect()
}

fn finding_row(finding: &Finding, contents: &Contents, purls: &[String], instructions: &[Option<&str>]) -> FindingRow {
    let installed = &contents.packages[finding.package];
    FindingRow {
        id: finding.id.clone(),
        ids: finding.ids.clone(),
        package: purls[finding.package].clone(),
        name: installed.package.name.clone(),
        version: installed.package.version.clone(),
        source: finding.source.clone(),
        severity: SeverityRow {
            level: finding.severity.level,
            score: finding.severity.score,
            vector: finding.severity.vector.clone(),
            from: finding.severity.from.clone(),
        },
        fixed: finding.fixed.clone(),
        summary: finding.summary.clone(),
        layer: installed.layer,
        instruction: instructions.get(installed.layer as usize).copied().flatten().map(str::to_owned),
        evidence: installed.evidence.iter().map(ToString::to_string).collect(),
    }
}

fn gap_row(gap: &LayerGap) -> GapRow {
    let path = from_bytes(gap.gap.path.as_bytes()).into_owned();
    GapRow { kind: gap.gap.kind, layer: gap.layer, path, reason: gap.gap.reason.clone() }
}

fn whole_image_gaps(contents: &Contents, not_matched: Option<String>) -> Vec<GapRow> {
    let mut gaps = Vec::new();
    let mut gap = |kind, reason: String| gaps.push(GapRow { kind, layer: None, path: String::new(), reason });
    let os_packages = contents.packages.iter().any(|installed| installed.package.ecosystem.is_os());
    match (&contents.distro, contents.has_os) {
        (None, true) => gap(GapKind::Distro, "the distribution is not known: its os-release file is missing, hidden or unreadable".into()),
        (Some(distro), _) if !os_packages => {
            let name = if distro.pretty_name.is_empty() { &distro.id } else { &distro.pretty_name };
            gap(GapKind::Distro, format!("{name} without a package database: its packages are not known"));
        }
        _ => {}
    }
    if let Some(reason) = not_matched {
        gap(GapKind::Advisories, reason);
    }
    gaps
}

fn ecosystems(contents: &Contents, matched: &Matched) -> Vec<EcosystemCoverage> {
    let mut counts: BTreeMap<Ecosystem, u32> = BTreeMap::new();
    for installed in &contents.packages {
        *counts.entry(installed.package.ecosystem).or_default() += 1;
    }
    let row = |(ecosystem, packages)| EcosystemCoverage {
        ecosystem,
        packages,
        advisories: matched.looked_up.get(&ecosystem).cloned().unwrap_or_default(),
    };
    counts.into_iter().map(row).collect()
}

fn unread(contents: &Contents) -> Vec<UnreadForm> {
    contents.recognised.iter().map(|&(form, files)| UnreadForm { form: form_name(form), files }).collect()
}

fn form_name(form: Recognised) -> &'static str {
    match form {
        Recognised::JavaArchive => "java-archive",
        Recognised::GoBinary => "go-binary",
        Recognised::RubyGem => "ruby-gem",
        Recognised::PhpComposer => "php-composer",
        Recognised::DotNetDeps => "dotnet-deps",
        Recognised::Conda => "conda",
        Recognised::Pacman => "pacman",
        Recognised::RPackage => "r-package",
        _ => "other",
    }
}
