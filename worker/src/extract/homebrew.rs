//! Homebrew's kegs: `Cellar/NAME/VERSION/INSTALL_RECEIPT.json`, on Linux below `/home/linuxbrew/.linuxbrew`.
//!
//! Format: <https://docs.brew.sh/Formula-Cookbook#homebrew-terminology>; the receipt is Homebrew's `Tab`.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::split;
use serde::Deserialize;

use super::word::{is_word, word};
use super::{ClaimedFile, Content, Extractor};

/// Installed formulae. Name and version are those of the keg's directories, which is where Homebrew itself has them from;
/// the version ends in `_REVISION` where the formula has one. The receipt tells from which tap it came.
pub(super) static HOMEBREW: Extractor = Extractor {
    name: "homebrew",
    version: 1,
    claims,
    content: Content::Whole(4 << 20),
    companions: &[],
    yields: &[Ecosystem::Brew],
    form: "receipts",
    extract,
};

fn claims(path: &[u8]) -> bool {
    path.strip_suffix(b"/INSTALL_RECEIPT.json").is_some_and(|keg| {
        let (rack, version) = split(keg);
        let (cellar, name) = split(rack);
        !version.is_empty() && !name.is_empty() && split(cellar).1 == b"Cellar"
    })
}

#[derive(Deserialize)]
struct Receipt<'a> {
    #[serde(borrow, default)]
    source: Option<Source<'a>>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow, default)]
    tap: Option<Cow<'a, str>>,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let malformed = |reason: String| Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    let receipt: Receipt<'_> = match serde_json::from_slice(file.content) {
        Ok(receipt) => receipt,
        Err(error) => return malformed(format!("Homebrew receipt: {error}")),
    };
    let (rack, version) = split(file.path.parent());
    let (Some(name), Some(version)) = (word(split(rack).1), word(version)) else {
        return malformed("a Homebrew keg with an invalid name or version".to_owned());
    };
    let tap = receipt.source.and_then(|source| source.tap);
    let tap = tap.filter(|tap| is_word(tap) && !tap.eq_ignore_ascii_case("homebrew/core"));
    let package = Package {
        registry: tap.is_some().then(|| "registry".to_owned()),
        qualifiers: tap.map(|tap| ("tap".to_owned(), tap.into_owned())).into_iter().collect(),
        ..Package::new(Ecosystem::Brew, name, version)
    };
    Facts { packages: vec![package], ..Facts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&HOMEBREW);
    }

    #[test]
    fn claims_receipts_of_kegs_only() {
        for (path, claimed) in [
            ("home/linuxbrew/.linuxbrew/Cellar/sqlite/3.43.2_1/INSTALL_RECEIPT.json", true),
            ("Cellar/sqlite/3.43.2/INSTALL_RECEIPT.json", true),
            ("Cellar/sqlite/INSTALL_RECEIPT.json", false),
            ("Cellar/sqlite/3.43.2/.brew/sqlite.rb", false),
            ("Cellar/a/1/share/INSTALL_RECEIPT.json", false),
            ("xCellar/a/1/INSTALL_RECEIPT.json", false),
        ] {
            assert_eq!(claims(path.as_bytes()), claimed, "{path}");
        }
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = br#"{"homebrew_version":"4.2.0","source":{"tap":"homebrew/core","versions":{"stable":"1"}}}"#;
        let path = "Cellar/a/1/INSTALL_RECEIPT.json".into();
        for end in 0..=whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            assert_eq!(facts.packages.len() == 1, end == whole.len(), "{end}");
            assert_eq!(facts.gaps.len() == 1, end < whole.len(), "{end}");
        }
        let deep = format!("{{\"x\":{}", "[".repeat(1 << 18));
        assert_eq!(extract(&ClaimedFile { path: &path, content: deep.as_bytes(), companions: &[] }).gaps.len(), 1);
    }
}
