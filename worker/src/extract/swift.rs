//! Swift packages that the package manager checked out for a build.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use serde::Deserialize;

use super::plain::{malformed, word};
use super::{ClaimedFile, Content, Extractor};

/// `.build/workspace-state.json`, in which SwiftPM (Sources/Workspace/WorkspaceState.swift) keeps what it has in the directory
/// beside it: checkouts of repositories and downloads from registries, not what lies elsewhere in the file system.
///
/// A checkout of a branch or a commit has the commit for a version.
pub(super) static SWIFT: Extractor = Extractor {
    name: "swift",
    version: 1,
    claims: |path| path.ends_with(b".build/workspace-state.json") && is_in_build(path),
    content: Content::Whole(16 << 20),
    companions: &[],
    yields: &[Ecosystem::Swift],
    form: "`workspace-state.json` of a build",
    extract,
};

fn is_in_build(path: &[u8]) -> bool {
    path.strip_suffix(b".build/workspace-state.json").is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    dependencies: Vec<Dependency<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(borrow)]
    package_ref: Reference<'a>,
    #[serde(borrow)]
    state: Held<'a>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    identity: Cow<'a, str>,
    /// Where it came from; `path` until version 4 of the file.
    #[serde(borrow, alias = "path")]
    location: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    checkout_state: Option<Checkout<'a>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Checkout<'a> {
    #[serde(borrow)]
    revision: Cow<'a, str>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let state: State<'_> = match serde_json::from_slice(file.content) {
        Ok(state) => state,
        Err(error) => return malformed(file, format!("workspace-state.json: {error}")),
    };
    let mut facts = Facts::default();
    let mut odd = 0_u32;
    for dependency in &state.object.dependencies {
        match package(dependency) {
            Ok(package) => facts.packages.extend(package),
            Err(Odd) => odd += 1,
        }
    }
    facts.packages.sort_unstable();
    facts.packages.dedup();
    if odd > 0 {
        facts
            .gaps
            .push(file.gap(GapKind::Malformed, format!("{odd} Swift packages without a valid place and version")));
    }
    facts
}

struct Odd;

fn package(dependency: &Dependency<'_>) -> Result<Option<Package>, Odd> {
    let Dependency { package_ref, state } = dependency;
    let identity = package_ref.identity.as_ref();
    let (name, version, registry) = match state.name.as_ref() {
        "sourceControlCheckout" | "checkout" => {
            let checkout = state.checkout_state.as_ref().ok_or(Odd)?;
            let version = checkout.version.as_ref().unwrap_or(&checkout.revision);
            // As a lockfile does, a branch and a commit say that nothing was released.
            let registry = checkout.version.is_none().then(|| "git".to_owned());
            match repository(&package_ref.location) {
                Some(place) => (place, version, registry),
                None => (identity.to_owned(), version, Some("local".to_owned())),
            }
        }
        "registryDownload" => (identity.to_owned(), state.version.as_ref().ok_or(Odd)?, Some("registry".to_owned())),
        _ => return Ok(None),
    };
    let (name, version) = (word(name.as_bytes()).ok_or(Odd)?, word(version.as_bytes()).ok_or(Odd)?);
    Ok(Some(Package { registry, ..Package::new(Ecosystem::Swift, name, version) }))
}

/// `github.com/apple/swift-nio` of `https://github.com/apple/swift-nio.git` or `git@github.com:apple/swift-nio.git`; none
/// for a path of a file system.
fn repository(location: &str) -> Option<String> {
    let (is_url, place) = location.split_once("://").map_or((false, location), |(_, place)| (true, place));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // Behind the colon of an scp-like address the path begins.
    let (host, start) = if is_url { (host, "") } else { host.split_once(':').unwrap_or((host, "")) };
    let host = host.to_ascii_lowercase();
    let host = if start.is_empty() { host } else { format!("{host}/{start}") };
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_remote = is_url || authority.contains(':');
    (is_remote && !host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&SWIFT);
    }

    #[test]
    fn claims_the_state_of_a_build() {
        assert!((SWIFT.claims)(b"app/.build/workspace-state.json") && (SWIFT.claims)(b".build/workspace-state.json"));
        for path in ["workspace-state.json", "a/x.build/workspace-state.json", "a/.build/x/workspace-state.json"] {
            assert!(!(SWIFT.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn repositories_by_their_place() {
        for (location, place) in [
            ("https://github.com/apple/swift-nio.git", Some("github.com/apple/swift-nio")),
            ("https://github.com/vapor/Vapor/", Some("github.com/vapor/Vapor")),
            ("https://user:token@git.example.org/a/b", Some("git.example.org/a/b")),
            ("git@github.com:apple/swift-log.git", Some("github.com/apple/swift-log")),
            ("ssh://git@git.example.org/a/b.git", Some("git.example.org/a/b")),
            ("https://GitHub.com/Apple/a", Some("github.com/Apple/a")),
            ("git@GitHub.com:Apple/a", Some("github.com/Apple/a")),
            ("/srv/checkouts/b", None),
            ("file:///srv/b", None),
            ("", None),
        ] {
            assert_eq!(repository(location).as_deref(), place, "{location}");
        }
    }

    #[test]
    fn what_was_never_released_is_of_a_repository() {
        let path = LayerPath::from(".build/workspace-state.json");
        for (state, version, registry) in [
            (r#"{"revision":"0f","version":"1.0.0"}"#, "1.0.0", None),
            (r#"{"revision":"0f","branch":"main"}"#, "0f", Some("git")),
            (r#"{"revision":"0f"}"#, "0f", Some("git")),
        ] {
            let content = format!(
                r#"{{"object":{{"dependencies":[{{"packageRef":{{"identity":"a","location":"https://h.org/u/a"}},
                "state":{{"name":"sourceControlCheckout","checkoutState":{state}}}}}]}},"version":6}}"#
            );
            let facts = extract(&ClaimedFile { path: &path, content: content.as_bytes(), companions: &[] });
            let [package] = &facts.packages[..] else { panic!("{facts:?}") };
            assert_eq!((package.version.as_str(), package.registry.as_deref()), (version, registry));
        }
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let whole = br#"{"object":{"dependencies":[{"packageRef":{"identity":"a","location":"https://h.org/u/a"},
            "state":{"name":"sourceControlCheckout","checkoutState":{"revision":"0f","version":"1.0.0"}}}]},"version":6}"#;
        let path = LayerPath::from(".build/workspace-state.json");
        for end in 0..=whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            let expected = if end == whole.len() { (1, 0) } else { (0, 1) };
            assert_eq!((facts.packages.len(), facts.gaps.len()), expected, "{end}");
        }
    }
}
