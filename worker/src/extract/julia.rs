//! Julia packages: the project file of each in a depot, and of those that come with Julia.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::split;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control};

/// `packages/NAME/SLUG/Project.toml` in a depot (Pkg documentation, "Project.toml and Manifest.toml"), and
/// `stdlib/vX.Y/NAME/Project.toml`, where Julia keeps its standard library and the binary packages (`…_jll`) that it links.
///
/// A package of the standard library without a version is a part of Julia itself.
pub(super) static JULIA: Extractor = Extractor {
    name: "julia",
    version: 1,
    claims: |path| (path.ends_with(b"/Project.toml") || path.ends_with(b"/JuliaProject.toml")) && is_package(path),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Julia],
    form: "depots, Julia's own library",
    extract,
};

fn is_package(path: &[u8]) -> bool {
    let Some([_, last, middle, first]) = last_components(path) else { return false };
    // Five characters by which Pkg tells versions apart, four in old depots.
    let is_slug = (4..=5).contains(&last.len()) && last.iter().all(u8::is_ascii_alphanumeric);
    let is_release = middle.strip_prefix(b"v").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
    first == b"packages" && is_slug || first == b"stdlib" && is_release
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let (mut name, mut version, mut uuid) = (None, None, None);
    // What stands before the first table: TOML has these keys there only.
    let lines = control::lines(file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content));
    for line in lines.take_while(|line| !line.starts_with(b"[")) {
        match assignment(line) {
            Some((b"name", value)) => name = Some(value),
            Some((b"version", value)) => version = Some(value),
            Some((b"uuid", value)) => uuid = Some(value),
            _ => {}
        }
    }
    let Some(name) = name.and_then(word) else {
        return malformed(file, "a Julia package without a valid name");
    };
    let Some(uuid) = uuid.and_then(word).filter(|uuid| is_uuid(uuid)) else {
        return malformed(file, "a Julia package without a valid UUID");
    };
    let Some(version) = version.and_then(word) else {
        let is_of_julia = version.is_none() && split(split(split(file.path.parent()).0).0).1 == b"stdlib";
        return if is_of_julia { Facts::default() } else { malformed(file, "a Julia package without a valid version") };
    };
    let mut package = Package::new(Ecosystem::Julia, name, version);
    package.qualifiers = vec![("uuid".to_owned(), uuid.to_ascii_lowercase())];
    one(package)
}

/// `key = "value"`, with nothing behind it but a comment. No escape is needed in what is read of these.
fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', line)?;
    let (key, value) = (line.get(..equals)?.trim_ascii(), line.get(equals + 1..)?.trim_ascii());
    let quote = *value.first().filter(|b| b"\"'".contains(b))?;
    let value = value.get(1..)?;
    let end = memchr::memchr(quote, value)?;
    let behind = value.get(end + 1..)?.trim_ascii();
    let is_whole = behind.is_empty() || behind.starts_with(b"#");
    value.get(..end).filter(|_| is_whole).map(|value| (key, value))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&JULIA);
    }

    #[test]
    fn claims_packages_of_depots() {
        for path in [
            "root/.julia/packages/JSON/93Ea8/Project.toml",
            "opt/julia/packages/Foo/aB3d/JuliaProject.toml",
            "usr/local/julia/share/julia/stdlib/v1.10/LibCURL_jll/Project.toml",
        ] {
            assert!((JULIA.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "app/Project.toml",
            "packages/JSON/Project.toml",
            "packages/JSON/93Ea8/test/Project.toml",
            "packages/JSON/93Ea8long/Project.toml",
            "packages/JSON/93Ea8/xProject.toml",
            "stdlib/1.10/Dates/Project.toml",
            "root/.julia/environments/v1.10/Project.toml",
        ] {
            assert!(!(JULIA.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn every_truncation_is_a_gap() {
        let path = LayerPath::from("packages/JSON/93Ea8/Project.toml");
        let whole = b"name = \"JSON\"\nuuid = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\nversion = \"0.21.4\"";
        for end in 0..=whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            assert_eq!(facts.packages.len(), usize::from(end == whole.len()), "{end}");
            assert_eq!(facts.packages.len() + facts.gaps.len(), 1, "{end}");
        }
    }

    #[test]
    fn a_table_ends_what_is_read() {
        let path = LayerPath::from("packages/JSON/93Ea8/Project.toml");
        let content = b"[deps]\nname = \"x\"\nuuid = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\n";
        assert_eq!(extract(&ClaimedFile { path: &path, content, companions: &[] }).gaps.len(), 1);
    }
}
