//! Names and versions out of package metadata: plain words, or nothing.

use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;

use super::ClaimedFile;

/// The longest name or version that is believed.
const MAX_BYTES: usize = 256;

/// `bytes` as a name or a version: UTF-8, neither empty nor longer than any honest one, without white space or control
/// characters.
pub(super) fn word(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fits = !text.is_empty() && text.len() <= MAX_BYTES;
    (fits && !text.chars().any(|c| c.is_whitespace() || c.is_control())).then_some(text)
}

/// What a file yields that holds one package.
pub(super) fn one(package: Package) -> Facts {
    Facts { packages: vec![package], ..Facts::default() }
}

/// What a file yields that was not understood, with the reason.
pub(super) fn malformed(file: &ClaimedFile<'_>, reason: impl Into<String>) -> Facts {
    Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() }
}

/// The last `N` components of a path, the last one first; `None` where it has fewer.
pub(super) fn last_components<const N: usize>(path: &[u8]) -> Option<[&[u8]; N]> {
    let mut components = path.rsplit(|&b| b == b'/');
    let mut found = [&b""[..]; N];
    for slot in &mut found {
        *slot = components.next().filter(|component| !component.is_empty())?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_visible_and_utf8() {
        assert_eq!(word("1.0-ü".as_bytes()), Some("1.0-ü"));
        for bytes in
            [&b""[..], b"a b", b"a\n", b"\x7f", b"\xff", "\u{9b}1".as_bytes(), "\u{a0}".as_bytes(), &[b'a'; 257]]
        {
            assert_eq!(word(bytes), None);
        }
    }

    #[test]
    fn components_from_the_end() {
        assert_eq!(last_components(b"a/b/c"), Some([&b"c"[..], b"b"]));
        assert_eq!(last_components(b"c"), Some([&b"c"[..]]));
        assert_eq!(last_components::<2>(b"c"), None);
        assert_eq!(last_components::<1>(b""), None);
    }
}
