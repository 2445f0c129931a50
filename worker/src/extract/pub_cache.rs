//! Dart packages in a pub cache: what `dart pub get` or `flutter pub get` downloaded.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::text::from_bytes;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control};

/// `hosted/HOST/NAME-VERSION/pubspec.yaml` and `git/NAME-COMMIT/pubspec.yaml` (dart.dev, "The system package cache"). The
/// path says all of the former; the version of the latter is a line of the pubspec.
///
/// Not `.dart_tool/package_config.json`, which only says where in the cache a project's packages are, nor the project's own
/// pubspec. An application compiled ahead of time holds no record of its packages.
pub(super) static PUB_CACHE: Extractor = Extractor {
    name: "pub-cache",
    version: 1,
    claims: |path| path.ends_with(b"/pubspec.yaml") && place(path).is_some(),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Pub],
    form: "pub's cache",
    extract,
};

enum Place<'a> {
    Hosted { host: &'a [u8], name: &'a [u8], version: &'a [u8] },
    Git { name: &'a [u8], commit: &'a [u8] },
}

fn place(path: &[u8]) -> Option<Place<'_>> {
    let [_, package, above] = last_components(path)?;
    // No name has a hyphen.
    let hyphen = memchr::memchr(b'-', package)?;
    let (name, version) = (package.get(..hyphen)?, package.get(hyphen + 1..)?);
    if !is_name(name) || version.is_empty() {
        return None;
    }
    if above == b"git" {
        let is_commit = version.len() >= 40 && version.iter().all(u8::is_ascii_hexdigit);
        return is_commit.then_some(Place::Git { name, commit: version });
    }
    let [_, _, host, hosted] = last_components(path)?;
    let is_version = hosted == b"hosted" && version.first().is_some_and(u8::is_ascii_digit);
    is_version.then_some(Place::Hosted { host, name, version })
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let (name, version, registry) = match place(file.path.as_bytes()) {
        Some(Place::Hosted { host, name, version }) => {
            let is_public = matches!(host, b"pub.dev" | b"pub.dartlang.org");
            (name, version, (!is_public).then_some("registry"))
        }
        Some(Place::Git { name, commit }) => {
            let version = control::lines(file.content).find_map(|line| line.strip_prefix(b"version:")).map(scalar);
            (name, version.unwrap_or(commit), Some("git"))
        }
        None => return Facts::default(),
    };
    let (Some(name), Some(version)) = (word(name), word(version)) else {
        return malformed(file, format!("a Dart package with an invalid version: {}", from_bytes(version)));
    };
    let mut package = Package::new(Ecosystem::Pub, name, version);
    package.registry = registry.map(str::to_owned);
    one(package)
}

/// A plain or quoted scalar of YAML on the rest of its line.
fn scalar(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    match value.first() {
        Some(quote @ (b'"' | b'\'')) => value[1..].split(|b| b == quote).next().unwrap_or_default(),
        _ => value.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default(),
    }
}

/// Dart identifiers in lower case (dart.dev, "The pubspec file").
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&PUB_CACHE);
    }

    #[test]
    fn claims_packages_of_the_cache() {
        for path in [
            "root/.pub-cache/hosted/pub.dev/async-2.11.0/pubspec.yaml",
            "home/a/.pub-cache/hosted/pub.dartlang.org/build_runner_core-7.2.7+1/pubspec.yaml",
            "root/.pub-cache/git/sqflite-0123456789abcdef0123456789abcdef01234567/pubspec.yaml",
        ] {
            assert!((PUB_CACHE.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "app/pubspec.yaml",
            "hosted/pub.dev/async-2.11.0/example/pubspec.yaml",
            "hosted/pub.dev/async/pubspec.yaml",
            "hosted/pub.dev/async-latest/pubspec.yaml",
            "git/cache/sqflite-0123456789abcdef0123456789abcdef01234567/pubspec.yaml",
            "git/sqflite-main/pubspec.yaml",
            "pubspec.yaml",
        ] {
            assert!(!(PUB_CACHE.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn where_it_came_from() {
        for (path, registry) in [
            ("hosted/pub.dev/async-2.11.0/pubspec.yaml", None),
            ("hosted/pub.dartlang.org/async-2.11.0/pubspec.yaml", None),
            ("hosted/pub.example.org/own-0.1.0/pubspec.yaml", Some("registry")),
            ("git/own-0123456789abcdef0123456789abcdef01234567/pubspec.yaml", Some("git")),
        ] {
            let facts = extract(&ClaimedFile { path: &path.into(), content: b"", companions: &[] });
            assert_eq!(facts.packages[0].registry.as_deref(), registry, "{path}");
        }
    }

    #[test]
    fn scalars() {
        for (value, text) in
            [(" 1.0.0+2 # why", "1.0.0+2"), ("'1.0'", "1.0"), (" \"1.0\" #", "1.0"), ("", ""), ("\"", "")]
        {
            assert_eq!(scalar(value.as_bytes()), text.as_bytes(), "{value}");
        }
    }
}
