//! Directories that belong to a package whole, told from where its record is.

use lazaret::path::split;

/// The directory of which everything belongs to the package that `extractor` found at `path`; none where the record says
/// nothing about the files beside it.
pub(super) fn tree<'p>(extractor: &str, path: &'p [u8]) -> Option<&'p [u8]> {
    let directory = split(path).0;
    match extractor {
        "npm" | "r-package" | "java-release" => Some(directory),
        _ => None,
    }
    .filter(|directory| !directory.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_owns_the_directory_of_its_record_where_that_is_its_own() {
        assert_eq!(tree("npm", b"app/node_modules/a/package.json"), Some(&b"app/node_modules/a"[..]));
        assert_eq!(tree("python", b"lib/python3/a.dist-info/METADATA"), None);
        assert_eq!(tree("npm", b"package.json"), None);
    }
}
