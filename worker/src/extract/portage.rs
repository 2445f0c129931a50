//! Portage's database of installed packages: Gentoo. A directory for each, whose path says category, name and version.
//!
//! Format: <https://projects.gentoo.org/pms/8/pms.html> for names and versions (chapter 3) and the files of the database
//! (appendix A): `CONTENTS` has a line `dir PATH`, `obj PATH MD5 MTIME` or `sym PATH -> TARGET MTIME` for each file.

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;
use lazaret::path::{LayerPath, split};
use lazaret::text::from_bytes;

use super::word::word;
use super::{ClaimedFile, Content, Extractor, control, is_claimed, licence, owned};

/// `CONTENTS`: every package has it, an empty one where it brings no files.
pub(super) static CONTENTS: Extractor = Extractor {
    name: "portage-contents",
    version: 1,
    claims: |path| is_record(path, b"/CONTENTS"),
    content: Content::Whole(256 << 20),
    companions: &[],
    yields: &[Ecosystem::Ebuild],
    form: "Portage's `CONTENTS`",
    extract: contents,
};

/// `LICENSE`: the licences, in the words of the ebuild but without the conditions that do not hold.
pub(super) static LICENCE: Extractor = Extractor {
    name: "portage-licence",
    version: 1,
    claims: |path| is_record(path, b"/LICENSE"),
    content: Content::Whole(64 << 10),
    companions: &[],
    yields: &[Ecosystem::Ebuild],
    form: "",
    extract: |file| facts(file, licence::declared(&from_bytes(file.content))),
};

/// Where the database is; below it category and package.
const DATABASE: &[u8] = b"var/db/pkg/";

fn is_record(path: &[u8], file: &[u8]) -> bool {
    path.strip_suffix(file).and_then(|record| record.strip_prefix(DATABASE)).is_some_and(|record| {
        record.iter().filter(|&&b| b == b'/').count() == 1 && !split(record).1.starts_with(b"-MERGING-")
    })
}

fn facts(file: &ClaimedFile<'_>, licence: Option<String>) -> Facts {
    let Some(package) = package(file.path.parent()) else {
        let reason = "a directory of Portage's database that is not named after a package and its version";
        return Facts { gaps: vec![file.gap(GapKind::Malformed, reason)], ..Facts::default() };
    };
    Facts { packages: vec![Package { licence, ..package }], ..Facts::default() }
}

fn contents(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = facts(file, None);
    if facts.packages.is_empty() {
        return facts;
    }
    for line in control::lines(file.content) {
        // What stands behind the path holds no blank, a path may.
        let Some(path) = line.strip_prefix(b"obj /").and_then(|rest| rest.rsplitn(3, |&b| b == b' ').nth(2)) else {
            continue;
        };
        facts.files.push((owned::key(path), 0));
        if is_claimed(path) {
            facts.owned.push((LayerPath::from_entry(path), 0));
        }
    }
    facts.owned.sort_unstable();
    facts
}

/// The package of a directory `…/CATEGORY/NAME-VERSION`.
fn package(directory: &[u8]) -> Option<Package> {
    let (above, record) = split(directory);
    let category = word(split(above).1)?;
    let (name, version) = split_version(word(record)?)?;
    Some(Package::new(Ecosystem::Ebuild, format!("{category}/{name}"), version))
}

/// `NAME-VERSION` or `NAME-VERSION-rREVISION`: a name cannot end in what could be a version, so the last hyphen before
/// one parts them (PMS 3.1.2).
fn split_version(record: &str) -> Option<(&str, &str)> {
    let (stem, last) = record.rsplit_once('-')?;
    let is_revision = last.strip_prefix('r').is_some_and(is_number);
    let (name, version) = if is_revision { stem.rsplit_once('-')? } else { (stem, last) };
    let whole = &record[name.len() + 1..];
    (!name.is_empty() && is_version(version)).then_some((name, whole))
}

/// PMS 3.2, without the revision: numbers with dots, one letter, and suffixes `_alpha`, `_beta`, `_pre`, `_rc`, `_p` with
/// a number or none.
fn is_version(version: &str) -> bool {
    let mut parts = version.split('_');
    let numbers = parts.next().unwrap_or_default();
    let numbers = numbers.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(numbers);
    numbers.split('.').all(is_number)
        && parts.all(|suffix| {
            let word = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
            matches!(word, "alpha" | "beta" | "pre" | "rc" | "p")
        })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CONTENTS);
        golden::check(&LICENCE);
    }

    #[test]
    fn claims_two_levels_below_the_database() {
        for (path, claimed) in [
            ("var/db/pkg/dev-libs/openssl-3.0.13-r2/CONTENTS", true),
            ("var/db/pkg/dev-libs/openssl-3.0.13-r2/PF", false),
            ("var/db/pkg/dev-libs/-MERGING-openssl-3.0.13/CONTENTS", false),
            ("var/db/pkg/dev-libs/CONTENTS", false),
            ("var/db/pkg/a/b/c/CONTENTS", false),
            ("x/var/db/pkg/a/b-1/CONTENTS", false),
            ("CONTENTS", false),
        ] {
            assert_eq!((CONTENTS.claims)(path.as_bytes()), claimed, "{path}");
        }
        assert!((LICENCE.claims)(b"var/db/pkg/dev-libs/openssl-3.0.13-r2/LICENSE"));
        assert!(!(LICENCE.claims)(b"app/node_modules/x/LICENSE"));
    }

    #[test]
    fn names_part_from_versions_as_pms_says() {
        for (record, parted) in [
            ("openssl-3.0.13-r2", Some(("openssl", "3.0.13-r2"))),
            ("openssl-3.0.13", Some(("openssl", "3.0.13"))),
            ("gtk+-2.24.33_p1-r3", Some(("gtk+", "2.24.33_p1-r3"))),
            ("font-adobe-100dpi-1.0.4", Some(("font-adobe-100dpi", "1.0.4"))),
            ("jpeg-6b_alpha2", Some(("jpeg", "6b_alpha2"))),
            ("timezone-data-2024a", Some(("timezone-data", "2024a"))),
            ("foo-r1", None),
            ("foo", None),
            ("foo-1.", None),
            ("foo-1_x", None),
            ("-1", None),
            ("foo-bar", None),
        ] {
            assert_eq!(split_version(record), parted, "{record}");
        }
    }

    #[test]
    fn any_bytes_leave_the_package_that_the_path_names() {
        let path = "var/db/pkg/app-misc/a-1/CONTENTS".into();
        let whole = b"obj /usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA 0123 1700000000\nobj /a b/node_modules/c/package.json 0 1\nsym /a -> b 1\n";
        for end in 0..=whole.len() {
            let facts = contents(&ClaimedFile { path: &path, content: &whole[..end], companions: &[] });
            assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 0));
        }
        let facts = contents(&ClaimedFile { path: &path, content: whole, companions: &[] });
        assert_eq!(facts.owned.len(), 2, "{facts:?}");
        let odd = "var/db/pkg/app-misc/not-a-version/CONTENTS".into();
        let facts = contents(&ClaimedFile { path: &odd, content: b"", companions: &[] });
        assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1));
    }
}
