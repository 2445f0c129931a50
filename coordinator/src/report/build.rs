//! A report out of an inventory, what matching found, and the policy. Pure.

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::exposure::ExposureKind;
use lazaret::image::Image;
use lazaret::inventory::{GapKind, Recognised};
use lazaret::text::from_bytes;

use super::*;
use crate::compose::executables::{Executables, Unexplained};
use crate::compose::{Contents, InstalledPackage, LayerGap};
use crate::inventory::ImageInventory;
use crate::matching::{Coverage as MatchCoverage, DistroCoverage, Finding, Matches};
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
    /// What matching found: nothing if it was not asked for, a reason if it could not run.
    pub matches: Result<Option<Matches>, String>,
}

/// What may be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scanner {
    /// Installed packages.
    Packages,
    /// Vulnerabilities of them.
    Vuln,
    /// Secrets in every layer and in the image's configuration.
    Secret,
    /// Malware in every layer, and in what the image's configuration runs.
    Malware,
}

impl Scanner {
    /// Its name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Vuln => "vuln",
            Self::Secret => "secret",
            Self::Malware => "malware",
        }
    }

    /// Whose exposures are of this kind.
    const fn of(kind: ExposureKind) -> Self {
        match kind {
            ExposureKind::Malware => Self::Malware,
            _ => Self::Secret,
        }
    }
}

/// Builds the report on one image.
pub fn build(image: &Image, inventoried: &Inventoried, context: Context<'_>) -> Report {
    let inventory = &inventoried.inventory;
    let contents = &inventory.contents;
    let distro = contents.distro.as_ref();
    let all = || contents.packages.iter().chain(&contents.declared);
    let purls: Vec<String> = all().map(|p| purl::purl(&p.package, distro)).collect();
    let (installed_purls, declared_purls) = purls.split_at(contents.packages.len());
    let instructions = inventory.config.instructions();
    let mut gaps: Vec<GapRow> = contents.gaps.iter().map(gap_row).collect();
    gaps.extend(distro_gaps(contents));
    let matches = context.matches.unwrap_or_else(|reason| {
        gaps.push(whole_image(GapKind::Advisories, reason));
        None
    });
    let mut rows = Vec::new();
    if let Some(matches) = &matches {
        gaps.extend(advisory_gaps(&matches.coverage, contents));
        gaps.extend(matches.undecided.iter().filter_map(|undecided| {
            let installed = contents.package(undecided.package)?;
            let path = installed.evidence.first().map(ToString::to_string).unwrap_or_default();
            let reason = format!("{}: {}", installed.package.name, undecided.reason);
            Some(GapRow { kind: GapKind::Version, layer: Some(installed.layer), path, reason })
        }));
        rows.extend(
            matches.findings.iter().filter_map(|finding| finding_row(finding, contents, &purls, &instructions)),
        );
        rows.sort_by(|a, b| {
            (b.severity.level, &a.name, &a.id, &a.package).cmp(&(a.severity.level, &b.name, &b.id, &b.package))
        });
    }
    let (findings, suppressed) = context.policy.apply(rows);
    let wanted = contents.exposures.iter();
    let wanted = wanted.filter(|exposed| context.scanners.contains(&Scanner::of(exposed.exposure.kind)));
    let (exposures, dismissed) = super::exposures::rows(wanted, &instructions, context.policy);
    gaps.sort_unstable();
    gaps.dedup();
    let unread = unread(contents);
    let declared_too = context.policy.include_declared;
    let complete = gaps.is_empty() && unread.is_empty() && inventoried.failed.is_empty();
    let verdict = match (complete, findings.is_empty() && exposures.is_empty()) {
        (false, _) => Verdict::Incomplete,
        (true, false) => Verdict::Findings,
        (true, true) => Verdict::Clean,
    };
    Report {
        schema: SCHEMA.into(),
        image: image_summary(image, inventory, context.reference),
        distro: distro.map(|distro| DistroSummary {
            id: distro.id.clone(),
            version_id: distro.version_id.clone(),
            name: distro.pretty_name.clone(),
            support_end: distro.support_end.clone(),
        }),
        layers: layers(inventoried, &instructions),
        packages: packages(&contents.packages, installed_purls),
        declared: packages(&contents.declared, declared_purls),
        findings,
        suppressed,
        exposures,
        dismissed,
        executables: executables(&contents.executables),
        coverage: Coverage {
            scanners: context.scanners.iter().map(|scanner| scanner.name().into()).collect(),
            complete,
            distro: match (distro, contents.has_os) {
                (Some(_), _) => DistroState::Known,
                (None, true) => DistroState::Unknown,
                (None, false) => DistroState::None,
            },
            snapshot: context.snapshot,
            ecosystems: ecosystems(contents, matches.as_ref().map(|matches| &matches.coverage), declared_too),
            declared_too,
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
        source: image.source.into(),
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

fn packages(packages: &[InstalledPackage], purls: &[String]) -> Vec<PackageRow> {
    let rows = packages.iter().zip(purls);
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
        registry: installed.package.registry.clone(),
        cpe: installed.package.cpe.clone(),
    })
    .collect()
}

fn finding_row(
    finding: &Finding,
    contents: &Contents,
    purls: &[String],
    instructions: &[Option<&str>],
) -> Option<FindingRow> {
    let installed = contents.package(finding.package)?;
    Some(FindingRow {
        id: finding.id.clone(),
        ids: finding.ids.clone(),
        package: purls.get(finding.package)?.clone(),
        name: installed.package.name.clone(),
        version: installed.package.version.clone(),
        ecosystem: finding.ecosystem.clone(),
        source: finding.source.clone(),
        records: finding.records.clone(),
        covers: finding.covers.clone(),
        severity: SeverityRow {
            level: finding.severity.level,
            score: finding.severity.score.map(|score| score.value()),
            vector: finding.severity.vector.clone(),
            from: finding.severity.from.clone(),
        },
        malicious: finding.is_malicious,
        fixed: finding.fixed.clone(),
        summary: finding.summary.clone(),
        layer: installed.layer,
        instruction: instructions.get(installed.layer as usize).copied().flatten().map(str::to_owned),
        evidence: installed.evidence.iter().map(ToString::to_string).collect(),
        declared: finding.package >= contents.packages.len(),
    })
}

fn executables(found: &Executables) -> ExecutableSummary {
    let row = |file: &Unexplained| ExecutableRow { path: file.path.to_string(), layer: file.layer, bytes: file.bytes };
    ExecutableSummary {
        files: found.all.files,
        bytes: found.all.bytes,
        unexplained_files: found.unexplained.files,
        unexplained_bytes: found.unexplained.bytes,
        unexplained: found.list.iter().map(row).collect(),
    }
}

fn gap_row(gap: &LayerGap) -> GapRow {
    let path = from_bytes(gap.gap.path.as_bytes()).into_owned();
    GapRow { kind: gap.gap.kind, layer: gap.layer, path, reason: gap.gap.reason.clone() }
}

fn whole_image(kind: GapKind, reason: impl Into<String>) -> GapRow {
    GapRow { kind, layer: None, path: String::new(), reason: reason.into() }
}

/// A zero of OS packages must say why it is one.
fn distro_gaps(contents: &Contents) -> Option<GapRow> {
    let os_packages = contents.packages.iter().any(|installed| installed.package.ecosystem.is_os());
    match (&contents.distro, contents.has_os) {
        (None, true) => {
            let reason = "the distribution is not known: its os-release file is missing, hidden or unreadable";
            Some(whole_image(GapKind::Distro, reason))
        }
        (Some(distro), _) if !os_packages => {
            let reason = format!("{} without a package database: its packages are not known", distro_name(distro));
            Some(whole_image(GapKind::Distro, reason))
        }
        _ => None,
    }
}

fn distro_name(distro: &lazaret::distro::OsRelease) -> String {
    if distro.pretty_name.is_empty() {
        format!("{} {}", distro.id, distro.version_id)
    } else {
        distro.pretty_name.clone()
    }
}

/// What the snapshot has nothing about.
fn advisory_gaps(coverage: &MatchCoverage, contents: &Contents) -> Vec<GapRow> {
    let mut gaps = Vec::new();
    let name = contents.distro.as_ref().map(distro_name).unwrap_or_default();
    for (ecosystem, count) in &coverage.uncovered {
        let why = match &coverage.distro {
            _ if !ecosystem.is_os() && crate::matching::coverage::feed(*ecosystem).is_none() => {
                "no feed that is read here has any for this ecosystem".to_owned()
            }
            _ if !ecosystem.is_os() => "the snapshot has no advisories for this ecosystem".to_owned(),
            DistroCoverage::None => "no distribution to look them up in".to_owned(),
            DistroCoverage::Unknown => format!("{name} is no distribution whose advisories we know"),
            DistroCoverage::Uncovered(wanted) if wanted.is_empty() => format!("nobody publishes advisories for {name}"),
            DistroCoverage::Uncovered(wanted) => format!("the snapshot has none of {}", wanted.join(", ")),
            DistroCoverage::Covered(found) => format!("{} is about another kind of packages", found.join(", ")),
        };
        gaps.push(whole_image(
            GapKind::Advisories,
            format!("{count} {} packages without advisories: {why}", ecosystem.name()),
        ));
    }
    gaps
}

fn ecosystems(contents: &Contents, coverage: Option<&MatchCoverage>, with_declared: bool) -> Vec<EcosystemCoverage> {
    let mut rows: BTreeMap<Ecosystem, EcosystemCoverage> = BTreeMap::new();
    let row = |ecosystem: Ecosystem| EcosystemCoverage {
        ecosystem,
        packages: 0,
        owned: 0,
        declared: 0,
        advisories: Vec::new(),
    };
    for installed in &contents.packages {
        let row = rows.entry(installed.package.ecosystem).or_insert_with_key(|&ecosystem| row(ecosystem));
        row.packages += 1;
        row.owned += u32::from(is_owned(installed));
    }
    for declared in &contents.declared {
        rows.entry(declared.package.ecosystem).or_insert_with_key(|&ecosystem| row(ecosystem)).declared += 1;
    }
    let Some(coverage) = coverage else { return rows.into_values().collect() };
    for row in rows.values_mut() {
        let looked_up = row.packages > 0 || with_declared;
        if looked_up && !coverage.uncovered.contains_key(&row.ecosystem) {
            row.advisories = match &coverage.distro {
                DistroCoverage::Covered(found) if row.ecosystem.is_os() => found.clone(),
                _ if row.ecosystem.is_os() => Vec::new(),
                _ => crate::matching::coverage::feed(row.ecosystem).map(str::to_owned).into_iter().collect(),
            };
        }
    }
    rows.into_values().collect()
}

/// Whether an installed package of a language is part of an OS package.
pub fn is_owned(installed: &InstalledPackage) -> bool {
    installed.owner.is_some() && !installed.package.ecosystem.is_os()
}

fn unread(contents: &Contents) -> Vec<UnreadForm> {
    contents.recognised.iter().map(|&(form, files)| UnreadForm { form: form_name(form).into(), files }).collect()
}

fn form_name(form: Recognised) -> &'static str {
    match form {
        Recognised::GoBinary => "go-binary",
        Recognised::RustBinary => "rust-binary",
        _ => "other",
    }
}
