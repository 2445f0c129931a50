//! Exposures as rows of a report.

use std::cmp::Reverse;

use lazaret::exposure::{ExposureKind, Severity};
use lazaret::text::from_bytes;
use serde::{Deserialize, Serialize};

use crate::compose::{Fate, LayerExposure};
use crate::policy::Policy;

/// A secret, malware or dangerous file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExposureRow {
    /// What kind of thing it is.
    pub kind: ExposureKind,
    /// The rule that found it.
    pub rule: String,
    /// What it is, in words.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// The index of the layer that ships it; none for the image's configuration and manifest.
    pub layer: Option<u32>,
    /// The instruction that made that layer.
    pub instruction: Option<String>,
    /// The file; what is nested in an archive is written `ARCHIVE!/PATH`.
    pub path: String,
    /// The line in it, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: u64,
    /// Whether the finished image shows it.
    pub state: ExposureState,
    /// The index of the layer that deletes or overwrites it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u32>,
    /// What of it is shown; of malware the names of what the rule found.
    pub masked: String,
    /// The same for the same value everywhere, as long as the identity key is the same; none where there was no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What is to be done: where the owner of a secret makes it worthless.
    pub rotate: String,
    /// Why it is none to worry about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<String>,
}

/// Whether the finished image shows an exposure. The blob of its layer ships it in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExposureState {
    /// It does.
    Present,
    /// A later layer takes the file away.
    Deleted,
    /// A later layer has another file there.
    Overwritten,
    /// A later layer could not be read.
    Unknown,
}

/// The rows of `exposures`, the worst first, and those of them that are known to be nothing.
pub(super) fn rows<'e>(
    exposures: impl Iterator<Item = &'e LayerExposure>,
    instructions: &[Option<&str>],
    policy: &Policy,
) -> (Vec<ExposureRow>, Vec<ExposureRow>) {
    let shown = exposures.filter(|exposure| policy.shows(&exposure.exposure));
    let mut rows: Vec<ExposureRow> = shown.map(|exposure| row(exposure, instructions, policy)).collect();
    rows.sort_by(|a, b| {
        let key = |row: &ExposureRow| (Reverse(row.severity), row.layer, row.line, row.column);
        (key(a), &a.path, &a.rule).cmp(&(key(b), &b.path, &b.rule))
    });
    rows.into_iter().partition(|row| row.dismissed.is_none())
}

fn row(of_layer: &LayerExposure, instructions: &[Option<&str>], policy: &Policy) -> ExposureRow {
    let LayerExposure { layer, state, exposure } = of_layer;
    let (state, until) = match *state {
        Fate::Present => (ExposureState::Present, None),
        Fate::Deleted(layer) => (ExposureState::Deleted, Some(layer)),
        Fate::Overwritten(layer) => (ExposureState::Overwritten, Some(layer)),
        Fate::Unknown(layer) => (ExposureState::Unknown, Some(layer)),
    };
    let instruction = layer.and_then(|layer| instructions.get(layer as usize).copied().flatten());
    ExposureRow {
        kind: exposure.kind,
        rule: exposure.rule.clone(),
        title: exposure.title.clone(),
        severity: exposure.severity,
        layer: *layer,
        instruction: instruction.map(str::to_owned),
        path: from_bytes(exposure.path.as_bytes()).into_owned(),
        line: exposure.line,
        column: exposure.column,
        state,
        until,
        masked: exposure.masked.clone(),
        fingerprint: exposure.identity.fingerprint(),
        rotate: exposure.rotate.clone(),
        dismissed: policy.dismisses(exposure),
    }
}
