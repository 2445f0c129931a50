//! OCaml's order: opam package versions, which are Debian's without an epoch.

use super::deb::Part;

/// An opam package's version (opam manual, "Version ordering"): letters, digits and `-_+.~`, ordered as Debian orders what
/// stands before and behind the last hyphen. A hyphen may stand anywhere, at the end too.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version<'a> {
    upstream: Part<'a>,
    revision: Part<'a>,
}

impl<'a> Version<'a> {
    /// Reads `text`; the error is the reason why opam would refuse it.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+.~".contains(&byte)) {
            return Err("it has a character where none may be");
        }
        let (upstream, revision) = text.rsplit_once('-').unwrap_or((text, ""));
        Ok(Self { upstream: Part(upstream), revision: Part(revision) })
    }
}
