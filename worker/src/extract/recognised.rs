//! What is recognised by its path but not read yet: counted, so that a report without these packages says so.

use lazaret::inventory::{Facts, Recognised};
use lazaret::path::split;

use super::{ClaimedFile, Content, Extractor};

/// Installed R packages: `DESCRIPTION` of a package in `R/library` or a `site-library`.
pub(crate) static R_PACKAGE: Extractor = by_name("r-package", is_r_package, |_| recognised(Recognised::RPackage));

const fn by_name(name: &'static str, claims: fn(&[u8]) -> bool, extract: fn(&ClaimedFile<'_>) -> Facts) -> Extractor {
    Extractor { name, version: 1, claims, content: Content::NameOnly, companions: &[], extract }
}

fn recognised(form: Recognised) -> Facts {
    Facts { recognised: Some(form), ..Facts::default() }
}

// Each looks at the end of the path first: that alone turns nearly every path away.

fn is_r_package(path: &[u8]) -> bool {
    path.strip_suffix(b"/DESCRIPTION").is_some_and(|package| {
        let (library, name) = split(package);
        !name.is_empty() && (ends_with(library, b"R/library") || ends_with(library, b"site-library"))
    })
}

/// Whether `name` is something and then `suffix`.
fn has_suffix(name: &[u8], suffix: &[u8]) -> bool {
    name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty())
}

/// Whether the last components of `path` are those of `tail`.
fn ends_with(path: &[u8], tail: &[u8]) -> bool {
    path.strip_suffix(tail).is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;

    const ALL: [&Extractor; 1] = [&R_PACKAGE];


    fn forms(path: &str) -> Vec<Recognised> {
        let path = LayerPath::from(path);
        let file = ClaimedFile { path: &path, content: b"", companions: &[] };
        let claiming = ALL.into_iter().filter(|extractor| (extractor.claims)(path.as_bytes()));
        claiming.filter_map(|extractor| (extractor.extract)(&file).recognised).collect()
    }

    #[test]
    fn each_form_by_its_path() {
        for (path, form) in [
            ("usr/lib/R/library/base/DESCRIPTION", Recognised::RPackage),
            ("usr/local/lib/R/site-library/dplyr/DESCRIPTION", Recognised::RPackage),
        ] {
            assert_eq!(forms(path), [form], "{path}");
        }
    }

    #[test]
    fn nothing_beside_it() {
        for path in [
            "library/base/DESCRIPTION",
            "R/library/DESCRIPTION",
            "site-library/DESCRIPTION",
            "site-library/a/b/DESCRIPTION",
            "",
        ] {
            assert_eq!(forms(path), [], "{path}");
        }
    }
}
