//! Python eggs that are one file: a zip archive that Python imports from as it is.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::path::{LayerPath, split};

use super::plain::malformed;
use super::{ClaimedFile, Content, Extractor, python, zip};

/// `NAME-VERSION-pyX.Y.egg`, as setuptools installed for a long time: what [`python::PYTHON`] reads of an egg that is a
/// directory, `EGG-INFO/PKG-INFO`, is in the archive
/// (<https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html>).
pub(super) static EGG: Extractor = Extractor {
    name: "python-egg",
    version: 1,
    claims: |path| {
        path.strip_suffix(b".egg").is_some_and(|stem| is_imported_from(split(stem).0) && python::is_in_use(stem))
    },
    content: Content::Whole(256 << 20),
    companions: &[],
    yields: &[Ecosystem::PyPi],
    form: "zipped eggs",
    extract,
};

/// Whether Python is told to look in this directory: setuptools installs there, and buildout. Eggs elsewhere are some test's data.
fn is_imported_from(directory: &[u8]) -> bool {
    matches!(split(directory).1, b"site-packages" | b"dist-packages" | b"eggs")
}

const METADATA: &[u8] = b"EGG-INFO/PKG-INFO";
/// What the metadata is read to, unpacked.
const MAX_METADATA: usize = 16 << 20;

fn extract(file: &ClaimedFile<'_>) -> Facts {
    // Models of 3D engines and archives of another kind are called so too.
    if !file.content.starts_with(b"PK") {
        return Facts::default();
    }
    let entries = match zip::entries(file.content, |name| name == METADATA, 1) {
        Ok(entries) => entries,
        Err(reason) => return malformed(file, format!("a Python egg: {reason}")),
    };
    let Some(entry) = entries.first() else { return malformed(file, "a Python egg without EGG-INFO/PKG-INFO") };
    let metadata = match entry.unpacked(MAX_METADATA) {
        Ok(metadata) => metadata,
        Err(zip::Flaw::TooLarge) => {
            let gap = file.gap(GapKind::Limit, "a Python egg with more metadata than is read of one");
            return Facts { gaps: vec![gap], ..Facts::default() };
        }
        Err(zip::Flaw::Malformed(reason)) => return malformed(file, format!("a Python egg: {reason}")),
    };
    let inside = LayerPath::from_entry(METADATA);
    let mut facts = (python::PYTHON.extract)(&ClaimedFile { path: &inside, content: &metadata, companions: &[] });
    facts.gaps.iter_mut().for_each(|gap| gap.path = file.path.clone());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&EGG);
    }

    #[test]
    fn claims_eggs() {
        for path in ["lib/python2.7/site-packages/six-1.10.0-py2.7.egg", "srv/eggs/six.egg"] {
            assert!((EGG.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            ".egg",
            "eggs/.egg",
            "eggs/~ip-1.egg",
            "eggs/x.egg/EGG-INFO/PKG-INFO",
            "eggs/x.egg-info",
            "eggs/x.egg-link",
            "site-packages/pkg_resources/tests/data/my-test-package_zipped-egg/my_test_package-1.0-py3.7.egg",
            "six.egg",
            "",
        ] {
            assert!(!(EGG.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn every_truncation_is_a_gap_or_no_egg() {
        for (path, whole) in golden::files_of(&EGG) {
            let path = path.as_str().into();
            let read = |content: &[u8]| extract(&ClaimedFile { path: &path, content, companions: &[] });
            for end in 0..whole.len() {
                let facts = read(&whole[..end]);
                let is_nothing = !whole[..end].starts_with(b"PK") && facts == Facts::default();
                // The last field is the length of a comment that is not read.
                let is_whole = end + 2 >= whole.len() && facts == read(&whole);
                let is_gap = (facts.packages.len(), facts.gaps.len()) == (0, 1);
                assert!(is_nothing || is_whole || is_gap, "{path} {end}: {facts:?}");
            }
        }
    }
}
