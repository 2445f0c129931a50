//! The components that Bitnami's images are put together from: `/opt/bitnami/.bitnami_components.json`.
//!
//! Format: what <https://github.com/bitnami/containers> has in every image: component to architecture, distribution and version.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use serde::Deserialize;

use super::word::is_word;
use super::{ClaimedFile, Content, Extractor};

/// The list of all components; each has a document of its own too, which [`super::sbom`] reads.
pub(super) static COMPONENTS: Extractor = Extractor {
    name: "bitnami-components",
    version: 1,
    claims: |path| path == b"opt/bitnami/.bitnami_components.json",
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Bitnami],
    form: "component lists",
    extract,
};

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    arch: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    distro: Option<Cow<'a, str>>,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let components: BTreeMap<Cow<'_, str>, Component<'_>> = match serde_json::from_slice(file.content) {
        Ok(components) => components,
        Err(error) => {
            let gaps = vec![file.gap(GapKind::Malformed, format!("Bitnami's list of components: {error}"))];
            return Facts { gaps, ..Facts::default() };
        }
    };
    let mut facts = Facts::default();
    let mut malformed = 0_u64;
    for (name, component) in components {
        if !is_word(&name) || !is_word(&component.version) {
            malformed += 1;
            continue;
        }
        let stated = |text: Option<Cow<'_, str>>| text.filter(|text| is_word(text)).map(Cow::into_owned);
        facts.packages.push(Package {
            arch: stated(component.arch),
            qualifiers: stated(component.distro).map(|distro| ("distro".to_owned(), distro)).into_iter().collect(),
            ..Package::new(Ecosystem::Bitnami, name, component.version)
        });
    }
    facts.packages.sort_unstable();
    if malformed > 0 {
        let reason = format!("{malformed} components of Bitnami with an invalid name or version");
        facts.gaps.push(file.gap(GapKind::Malformed, reason));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&COMPONENTS);
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = br#"{"redis":{"arch":"amd64","distro":"debian-12","type":"NAMI","version":"7.4.2-0"}}"#;
        let path = "opt/bitnami/.bitnami_components.json".into();
        assert!((COMPONENTS.claims)(b"opt/bitnami/.bitnami_components.json"));
        assert!(!(COMPONENTS.claims)(b"bitnami/.bitnami_components.json"));
        for end in 0..=whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            let want = if end == whole.len() { (1, 0) } else { (0, 1) };
            assert_eq!((facts.packages.len(), facts.gaps.len()), want, "{end}");
        }
        for odd in ["[]", r#"{"a":{"version":1}}"#, r#"{"a b":{"version":"1"}}"#, "\u{feff}{}"] {
            let facts = extract(&ClaimedFile { path: &path, content: odd.as_bytes(), companions: &[] });
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{odd}");
        }
    }
}
