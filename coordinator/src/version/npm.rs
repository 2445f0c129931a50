//! npm's order: semantic versions as node-semver reads them, its loose forms included.

use super::number::{Number, take_digits};
use super::semver::{PreRelease, Version, are_identifiers};

/// node-semver reads nothing longer, in characters; a version npm could publish is ASCII, where that is bytes.
const MAX_LENGTH: usize = 256;

/// `Number.MAX_SAFE_INTEGER`, the greatest number that node-semver lets stand before the pre-release.
const MAX_NUMBER: Number<'static> = Number("9007199254740991");

/// Reads `text` as node-semver does with `loose`: `v1.2.3`, `= 1.2.3`, `01.2.3` and `1.2.3beta` are versions.
///
/// One thing is refused that node-semver reads: four dotted numbers. Its regular expression backtracks until `1.2.34.5`
/// becomes `1.2.3-4.5` (while `1.2.3.4` is an error), which is nobody's intention.
pub(super) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    if text.len() > MAX_LENGTH {
        return Err("it is longer than 256 characters");
    }
    let text = text.trim_ascii().trim_start_matches(|c: char| c == 'v' || c == '=' || c.is_ascii_whitespace());
    let (release, build) = match text.split_once('+') {
        Some((release, build)) => (release, Some(build)),
        None => (text, None),
    };
    if !build.is_none_or(are_identifiers) {
        return Err("its build metadata is malformed");
    }
    let mut core = [Number(""); 3];
    let mut rest = release;
    for (index, slot) in core.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('.').ok_or("it does not have three numbers")?;
        }
        (*slot, rest) = match take_digits(rest) {
            (Number(""), _) => return Err("it does not have three numbers"),
            (number, _) if number > MAX_NUMBER => return Err("a number is too big"),
            found => found,
        };
    }
    let pre_release = match rest.strip_prefix('-') {
        _ if rest.is_empty() => "",
        Some(behind) if are_identifiers(behind) => behind,
        // The hyphen is optional, and a hyphen is an identifier: `1.2.3-` has the pre-release `-`.
        _ if are_identifiers(rest) => rest,
        _ => return Err("its pre-release is malformed"),
    };
    Ok(Version { core, pre_release: PreRelease(pre_release) })
}
