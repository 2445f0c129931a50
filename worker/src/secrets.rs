//! Secrets in files: tokens, keys and passwords, found while the bytes stream by, whatever lines, encodings or sizes they come in.
//!
//! A literal prefilter looks at every byte once; a rule's pattern runs around the keywords that it finds. Patterns are finite
//! automata, and every match has a most, so memory is that of one window. A value never leaves this module: what does is where it
//! is, what it is masked, and its SHA-256.

mod check;
mod dummy;
mod file;
mod mask;
mod prefilter;
mod rule;
mod search;
mod stream;
#[cfg(test)]
pub(crate) mod template;

pub(crate) use rule::Rules;
pub(crate) use stream::{Secret, Stream};
