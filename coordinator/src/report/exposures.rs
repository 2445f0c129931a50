//! Exposures as rows of a report.

use std::cmp::Reverse;

use lazaret::text::from_bytes;

use super::{ExposureRow, ExposureState};
use crate::compose::{Fate, LayerExposure};

/// The rows of `exposures`, the worst first, and those of them that are known to be nothing.
pub(super) fn rows(exposures: &[LayerExposure], instructions: &[Option<&str>]) -> (Vec<ExposureRow>, Vec<ExposureRow>) {
    let mut rows: Vec<ExposureRow> = exposures.iter().map(|exposure| row(exposure, instructions)).collect();
    rows.sort_by(|a, b| {
        let key = |row: &ExposureRow| (Reverse(row.severity), row.layer, row.line, row.column);
        (key(a), &a.path, &a.rule).cmp(&(key(b), &b.path, &b.rule))
    });
    rows.into_iter().partition(|row| row.dismissed.is_none())
}

fn row(of_layer: &LayerExposure, instructions: &[Option<&str>]) -> ExposureRow {
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
        rotate: exposure.rotate.clone(),
        dismissed: exposure.dismissed.clone(),
    }
}
