//! Installed R packages: the `DESCRIPTION` file of each.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use lazaret::path::split;
use lazaret::text::from_bytes;

use super::plain::{malformed, one, word};
use super::{ClaimedFile, Content, Extractor, control, licence};

/// `LIBRARY/PACKAGE/DESCRIPTION` in any library (*Writing R Extensions*, "The DESCRIPTION file"), that of R itself, of a user
/// and renv's included. What tells an installed package from a source tree is the field `Built`, which R adds; R itself
/// takes a directory for a package by that.
///
/// Packages of priority `base` are listed too, as `installed.packages()` does; but they are parts of R, not of CRAN.
pub(super) static R_PACKAGE: Extractor = Extractor {
    name: "r-package",
    version: 2,
    claims: |path| path.strip_suffix(b"/DESCRIPTION").is_some_and(|package| !package.is_empty()),
    content: Content::Whole(1 << 20),
    companions: &[],
    yields: &[Ecosystem::Cran],
    form: "`DESCRIPTION` in libraries",
    extract,
};

/// R's own messages in other languages: a directory of the library that is no package, for R neither.
const MESSAGES: &str = "translations";

#[derive(Default)]
struct Fields<'a> {
    package: &'a [u8],
    version: &'a [u8],
    licence: &'a [u8],
    built: bool,
    priority: &'a [u8],
    repository: &'a [u8],
    remote: &'a [u8],
    has_bioc_views: bool,
}

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let fields = read(file.content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.content));
    if !fields.built && !is_in_library(file.path.as_bytes()) {
        return Facts::default();
    }
    let Some(name) = word(fields.package).filter(|name| is_name(name)) else {
        return malformed(file, "an R package without a valid name");
    };
    let Some(version) = word(fields.version) else {
        return malformed(file, "an R package without a valid version");
    };
    if !fields.built && name == MESSAGES {
        return Facts::default();
    }
    if !fields.built {
        return malformed(
            file,
            "an R package in a library that is not installed: no field says with what it was built",
        );
    }
    let mut package = Package::new(Ecosystem::Cran, name, version);
    package.licence = licence::declared(&from_bytes(fields.licence));
    package.registry = registry(&fields).map(str::to_owned);
    one(package)
}

fn read(content: &[u8]) -> Fields<'_> {
    let mut fields = Fields::default();
    for line in control::lines(content) {
        match control::field(line) {
            Some((b"Package", value)) => fields.package = value,
            Some((b"Version", value)) => fields.version = value,
            Some((b"License", value)) => fields.licence = value,
            Some((b"Built", value)) => fields.built = !value.is_empty(),
            Some((b"Priority", value)) => fields.priority = value,
            Some((b"Repository", value)) => fields.repository = value,
            Some((b"RemoteType", value)) => fields.remote = value,
            Some((b"biocViews", _)) => fields.has_bioc_views = true,
            _ => {}
        }
    }
    fields
}

/// Where it came from, if not from CRAN. What does not say is taken for CRAN's: advisories about it are not passed over.
fn registry(fields: &Fields<'_>) -> Option<&'static str> {
    // What remotes and pak write; `standard`, `cran` and `any` are downloads from a repository.
    match fields.remote {
        b"github" | b"gitlab" | b"bitbucket" | b"git" | b"git2r" | b"xgit" | b"svn" => return Some("git"),
        b"local" => return Some("local"),
        b"url" | b"bioc" | b"bioc_git2r" | b"bioc_xgit" => return Some("registry"),
        _ => {}
    }
    match fields.repository {
        // Posit's mirrors of CRAN, under the names they had.
        b"CRAN" | b"RSPM" | b"P3M" | b"PPM" => None,
        b"" => (fields.priority == b"base" || fields.has_bioc_views).then_some("registry"),
        _ => Some("registry"),
    }
}

/// Letters, digits and dots; it begins with a letter (*Writing R Extensions*).
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

/// Whether the place says that only installed packages are here.
fn is_in_library(path: &[u8]) -> bool {
    let (library, _) = split(split(path).0);
    let (above, name) = split(library);
    name == b"site-library" || name == b"library" && split(above).1 == b"R"
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&R_PACKAGE);
    }

    #[test]
    fn claims_descriptions_of_directories() {
        for path in [
            "usr/lib/R/library/base/DESCRIPTION",
            "usr/local/lib/R/site-library/dplyr/DESCRIPTION",
            "root/R/x86_64-pc-linux-gnu-library/4.3/jsonlite/DESCRIPTION",
            "app/renv/library/R-4.3/x86_64-pc-linux-gnu/jsonlite/DESCRIPTION",
            "opt/conda/lib/R/library/png/DESCRIPTION",
        ] {
            assert!((R_PACKAGE.claims)(path.as_bytes()), "{path}");
        }
        for path in ["DESCRIPTION", "/DESCRIPTION", "a/DESCRIPTION.in", "a/xDESCRIPTION", "a/DESCRIPTION/b", ""] {
            assert!(!(R_PACKAGE.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn where_it_came_from() {
        let of = |content: &str| registry(&read(content.as_bytes()));
        for (content, expected) in [
            ("Repository: CRAN", None),
            ("Repository: RSPM\nRemoteType: standard", None),
            ("Repository: CRAN\nPriority: recommended", None),
            ("", None),
            ("Priority: base", Some("registry")),
            ("biocViews: Infrastructure", Some("registry")),
            ("biocViews: Infrastructure\nRepository: CRAN", None),
            ("Repository: https://someone.r-universe.dev", Some("registry")),
            ("Repository: CRAN\nRemoteType: github", Some("git")),
            ("RemoteType: local", Some("local")),
        ] {
            assert_eq!(of(content), expected, "{content}");
        }
    }

    #[test]
    fn truncated_it_is_a_gap_in_a_library_and_never_another_package() {
        let whole =
            b"Package: png\nVersion: 0.1-8\nLicense: GPL-2\nRepository: CRAN\nBuilt: R 4.2.2; ; 2023-01-01; unix\n";
        let path = LayerPath::from("usr/lib/R/library/png/DESCRIPTION");
        for end in 0..whole.len() {
            let facts = extract(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            match facts.packages.as_slice() {
                [] => assert_eq!(facts.gaps.len(), 1, "{end}"),
                [package] => assert_eq!((package.name.as_str(), package.version.as_str()), ("png", "0.1-8"), "{end}"),
                more => panic!("{end}: {more:?}"),
            }
        }
    }
}
