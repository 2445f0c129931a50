//! Severities on the command line: the words of reports.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::matching::Level;

/// Reads one.
pub(super) fn parser() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name))
        .map(|word| Level::ALL.into_iter().find(|level| level.name() == word).unwrap_or_default())
}
