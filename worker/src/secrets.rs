//! Secrets in files: tokens, keys and passwords, found while the bytes stream by, whatever lines, encodings or sizes they come in.
//!
//! A literal prefilter looks at every byte once; a rule's pattern runs around the keywords that it finds. Patterns are finite
//! automata, and every match has a most, so memory is that of one window. A value never leaves this module: what does is where it
//! is, what it is masked, and its SHA-256.

mod added;
mod check;
mod document;
mod dummy;
mod encoded;
mod escaped;
mod file;
mod form;
mod glance;
mod identity;
mod labels;
mod mask;
mod names;
mod nested;
mod paired;
mod plain;
mod prefilter;
mod private_key;
mod rule;
mod search;
mod settings;
#[cfg(test)]
mod shape;
mod stream;
#[cfg(test)]
pub(crate) mod template;

use lazaret::exposure::Exposure;
use lazaret::path::LayerPath;

use crate::ruleset::Ruleset;

/// What all rules find in the file at `path`, of `size` bytes, whose bytes come in `pieces`; as the walk over a layer does it.
pub fn file<'b>(path: &LayerPath, size: u64, pieces: impl IntoIterator<Item = &'b [u8]>) -> Vec<Exposure> {
    let Ruleset { secrets, malware } = Ruleset::without_malware();
    let mut file = File::begin(secrets, malware, path, size, 0);
    pieces.into_iter().for_each(|piece| file.feed(piece));
    file.finish().found
}

/// Lays the rules out, which is then done for all children of this process. A pattern is compiled when one of its keywords is
/// first seen.
pub fn warm_up() {
    Rules::built_in();
    names::warm_up();
}

/// Whether a built-in rule goes by the name of a setting alone.
pub fn is_generic(rule: &str) -> bool {
    Rules::built_in().rules.iter().any(|of| of.generic && of.id == rule)
}

/// The version of how rules are run. Raised with every change of what they find in the same text.
const VERSION: &str = "4";

/// A hash of everything that decides what is found.
pub fn fingerprint() -> String {
    rule::fingerprint(VERSION)
}

pub use document::{Document, document};
pub(crate) use labels::Labels;
pub(crate) use nested::{File, Outcome};
pub(crate) use rule::Rules;
