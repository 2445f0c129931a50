//! What one lockfile yields while it is read: bounded, and with a gap for whatever was no package.

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::package::Package;

use super::ClaimedFile;

/// Packages that are kept of one file: several times what the largest monorepo locks.
const MAX_PACKAGES: usize = 200_000;
/// The longest name or version that is believed.
const MAX_BYTES: usize = 256;
/// The longest reason of a gap; parsers quote what they choke on.
const MAX_REASON: usize = 200;

/// The packages of a file so far.
#[derive(Default)]
pub(super) struct Found {
    packages: Vec<Package>,
    invalid: usize,
    is_full: bool,
    gaps: Vec<(GapKind, String)>,
}

/// Why the rest of a file is not read.
#[derive(Debug)]
pub(super) struct Unreadable {
    kind: GapKind,
    reason: String,
}

impl Unreadable {
    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self { kind: GapKind::Malformed, reason: reason.into() }
    }

    pub(super) fn unsupported(reason: impl Into<String>) -> Self {
        Self { kind: GapKind::Unsupported, reason: reason.into() }
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self::malformed(error.to_string())
    }
}

/// Reads `file`, which is text, with `reader`. What was found before the reader gave up stays, beside the gap.
pub(super) fn read<'f>(
    file: &ClaimedFile<'f>,
    reader: impl FnOnce(&'f str, &mut Found) -> Result<(), Unreadable>,
) -> Facts {
    let mut found = Found::default();
    let outcome = text(file.content).and_then(|text| reader(text, &mut found));
    if let Err(Unreadable { kind, reason }) = outcome {
        found.gaps.push((kind, reason));
    }
    found.finish(file)
}

/// As text without a byte order mark. UTF-16 is not: every second byte of it is zero, mark or not.
fn text(content: &[u8]) -> Result<&str, Unreadable> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    match std::str::from_utf8(content) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Unreadable::malformed("not UTF-8")),
    }
}

impl Found {
    /// Takes in a package of which no more is known. `registry` as in [`Package::registry`].
    pub(super) fn add(
        &mut self,
        ecosystem: Ecosystem,
        name: impl Into<String>,
        version: impl Into<String>,
        registry: Option<&str>,
    ) {
        let mut package = Package::new(ecosystem, name, version);
        package.registry = registry.map(str::to_owned);
        self.push(package);
    }

    /// Takes in a package; one that cannot be is counted for a gap.
    pub(super) fn push(&mut self, package: Package) {
        if self.packages.len() >= MAX_PACKAGES {
            self.is_full = true;
        } else if is_word(&package.name) && is_word(&package.version) {
            self.packages.push(package);
        } else {
            self.invalid += 1;
        }
    }

    /// Counts an entry that should have been a package, and is none.
    pub(super) fn invalid(&mut self) {
        self.invalid += 1;
    }

    /// Something in the file that was not understood; the rest of it was.
    pub(super) fn gap(&mut self, kind: GapKind, reason: impl Into<String>) {
        self.gaps.push((kind, reason.into()));
    }

    /// The lines of a file that a program writes: each ends with a line end. One that does not was cut off, and half a
    /// version is a wrong one: it is not read, and leaves a gap.
    pub(super) fn lines<'t>(&mut self, text: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let end = text.rfind('\n').map_or(0, |at| at + 1);
        if !text[end..].trim().is_empty() {
            self.gap(GapKind::Malformed, "the last line is cut off");
        }
        text[..end].lines()
    }

    /// Says of packages found so far where they are from: names, which stand for their parts (`name/…`) too.
    pub(super) fn mark(&mut self, registries: &BTreeMap<String, &str>) {
        for package in &mut self.packages {
            let whole = package.name.split('/').next().unwrap_or_default();
            if let Some(&registry) = registries.get(whole) {
                package.registry = Some(registry.to_owned());
            }
        }
    }

    fn finish(mut self, file: &ClaimedFile<'_>) -> Facts {
        self.packages.sort_unstable();
        self.packages.dedup();
        match self.invalid {
            0 => {}
            1 => self.gap(GapKind::Malformed, "an entry without a valid name or version"),
            n => self.gap(GapKind::Malformed, format!("{n} entries without a valid name or version")),
        }
        if self.is_full {
            self.gap(GapKind::Limit, format!("more than {MAX_PACKAGES} packages; the rest was not kept"));
        }
        let gap = |(kind, reason): (GapKind, String)| -> Gap {
            file.gap(kind, &reason[..reason.floor_char_boundary(MAX_REASON)])
        };
        let mut gaps: Vec<Gap> = self.gaps.into_iter().map(gap).collect();
        gaps.sort_unstable();
        gaps.dedup();
        Facts { packages: self.packages, declared: true, gaps, ..Facts::default() }
    }
}

/// Whether a name or a version may be this.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_BYTES && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
