//! .NET: references in project files, the versions that `Directory.Packages.props` has for all of them, and `packages.config`
//! before these (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files>,
//! <https://learn.microsoft.com/nuget/consume-packages/central-package-management>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Found, read};
use super::place::{has_suffix, is_named};
use super::xml::{self, Attributes, Elements};
use super::{ClaimedFile, Content, Extractor};

/// `PackageReference`s with a version of their own, and the `PackageVersion`s of those that have none. Where a property, a
/// range or another file gives it, the version is not in this file.
pub(crate) static NUGET_PROJECT: Extractor = Extractor {
    name: "lock-nuget-project",
    version: 1,
    claims: |path| {
        [".csproj", ".fsproj", ".vbproj"].iter().any(|suffix| has_suffix(path, suffix))
            || is_named(path, &["Directory.Packages.props"])
    },
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::NuGet],
    form: "project files, `Directory.Packages.props`",
    extract,
};

/// The packages of `packages.config`.
pub(crate) static NUGET_CONFIG: Extractor = Extractor {
    name: "lock-nuget-config",
    version: 1,
    claims: |path| is_named(path, &["packages.config"]),
    content: Content::Whole(8 << 20),
    companions: &[],
    yields: &[Ecosystem::NuGet],
    form: "`packages.config`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| xml::read(text, &mut Project { found, name: None, version: None }))
}

struct Project<'m> {
    found: &'m mut Found,
    /// Of the reference that is open.
    name: Option<String>,
    version: Option<String>,
}

impl Elements for Project<'_> {
    fn open(&mut self, path: &str, attributes: &Attributes<'_>) {
        if is_reference(path) {
            self.name = attributes.get("Include");
            self.version = attributes.get("VersionOverride").or_else(|| attributes.get("Version"));
        } else if path == "packages/package" {
            let text = |name| attributes.get(name).unwrap_or_default();
            self.found.add(Ecosystem::NuGet, text("id"), text("version"), None);
        }
    }

    fn close(&mut self, path: &str, text: &str) {
        if is_reference(path) {
            if let (Some(name), Some(version)) = (self.name.take(), self.version.take())
                && let Some(version) = literal(&version)
            {
                self.found.add(Ecosystem::NuGet, name, version, None);
            }
        } else if path.strip_suffix("/Version").is_some_and(is_reference) {
            self.version = Some(text.to_owned());
        }
    }
}

fn is_reference(path: &str) -> bool {
    let items = ["PackageReference", "PackageVersion", "GlobalPackageReference"];
    path.rsplit_once('/').is_some_and(|(above, item)| above.ends_with("/ItemGroup") && items.contains(&item))
}

/// The version that is meant, if it is one: `1.0` (at least, and NuGet takes the least) or `[1.0]`.
fn literal(version: &str) -> Option<&str> {
    let version = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version).trim();
    let is_one = version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
    is_one.then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_version_is_a_version() {
        assert_eq!(literal("1.2.3-rc.1"), Some("1.2.3-rc.1"));
        assert_eq!(literal("[1.2.3]"), Some("1.2.3"));
        for no in ["", "*", "1.*", "[1.0,2.0)", "(1.0,)", "$(Version)", "1.0, 2.0"] {
            assert_eq!(literal(no), None, "{no}");
        }
    }
}
