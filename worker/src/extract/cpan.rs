//! Perl distributions from CPAN: the record that cpanm, cpm and Carton keep of each.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;
use lazaret::package::Package;
use serde::Deserialize;

use super::plain::{last_components, malformed, one, word};
use super::{ClaimedFile, Content, Extractor, licence};

/// `.meta/DIST-VERSION/install.json` in a library, which `App::cpanminus` writes of what it installs from CPAN, and those
/// built on it; the licence stands in the `MYMETA.json` beside it (CPAN::Meta::Spec).
///
/// A distribution is named `AUTHOR/DIST`, as its package URL demands; other installers know but modules, which
/// [`super::perl_local`] reads. Perl's own modules are parts of perl.
pub(super) static CPAN: Extractor = Extractor {
    name: "cpan",
    version: 1,
    claims: |path| {
        path.ends_with(b"/install.json")
            && last_components(path).is_some_and(|[_, _, meta]: [&[u8]; 3]| meta == b".meta")
    },
    // It lists every module of the distribution.
    content: Content::Whole(4 << 20),
    companions: &[MYMETA],
    yields: &[Ecosystem::Cpan],
    form: "cpanm's `install.json`",
    extract,
};

const MYMETA: &str = "MYMETA.json";

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    dist: Cow<'a, str>,
    #[serde(borrow)]
    pathname: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    license: Vec<Cow<'a, str>>,
}

/// Licences of one distribution that are kept.
const MAX_LICENCES: usize = 8;

fn extract(file: &ClaimedFile<'_>) -> Facts {
    let record: Record<'_> = match serde_json::from_slice(file.content) {
        Ok(record) => record,
        Err(error) => return malformed(file, format!("install.json: {error}")),
    };
    let Some(author) = author(&record.pathname) else {
        return malformed(file, "a Perl distribution without the author it has on CPAN");
    };
    let named = word(record.dist.as_bytes()).and_then(name_and_version);
    let Some((name, version)) = named.filter(|(name, _)| is_name(name)) else {
        return malformed(file, "a Perl distribution without a valid name and version");
    };
    let mut package = Package::new(Ecosystem::Cpan, format!("{author}/{name}"), version);
    package.licence = file.companion(MYMETA).and_then(declared);
    one(package)
}

fn declared(meta: &[u8]) -> Option<String> {
    let meta: Meta<'_> = serde_json::from_slice(meta).ok()?;
    let licences: Vec<_> = meta.license.iter().take(MAX_LICENCES).map(Cow::as_ref).collect();
    licence::declared(&licences.join(", "))
}

/// The author of `E/ET/ETHER/Try-Tiny-0.31.tar.gz`, the path below `authors/id` of CPAN.
fn author(pathname: &str) -> Option<&str> {
    let mut directories = pathname.split('/');
    let (first, second, author) = (directories.next()?, directories.next()?, directories.next()?);
    directories.next()?;
    let fits = author.starts_with(second) && second.starts_with(first) && !first.is_empty();
    let is_id = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    (fits && author.len() <= 64 && author.bytes().all(is_id)).then_some(author)
}

/// `Try-Tiny-0.31` cut at the last hyphen that a version follows (a digit, perhaps behind a `v`); the mark of a trial release
/// belongs to the version.
fn name_and_version(dist: &str) -> Option<(&str, &str)> {
    let end = dist.find("-TRIAL").unwrap_or(dist.len());
    let (hyphen, _) = dist.get(..end)?.rmatch_indices('-').find(|(at, _)| {
        let behind = dist.get(at + 1..).unwrap_or_default();
        behind.strip_prefix(['v', 'V']).unwrap_or(behind).starts_with(|c: char| c.is_ascii_digit())
    })?;
    Some((dist.get(..hyphen)?, dist.get(hyphen + 1..)?))
}

/// What the names of distributions are made of; `::` is a module's.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b))
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&CPAN);
    }

    #[test]
    fn claims_records_of_installed_distributions() {
        let arch = "usr/local/lib/perl5/site_perl/5.38.2/x86_64-linux-gnu/.meta";
        assert!((CPAN.claims)(format!("{arch}/Try-Tiny-0.31/install.json").as_bytes()));
        assert!((CPAN.claims)(b"local/lib/perl5/x86_64-linux/.meta/Moo-2.005/install.json"));
        for path in [
            "install.json",
            ".meta/install.json",
            "a/.meta/b/c/install.json",
            "a/.meta/b/MYMETA.json",
            "a/meta/b/install.json",
        ] {
            assert!(!(CPAN.claims)(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn versions_begin_at_the_last_hyphen_before_a_digit() {
        for (dist, name, version) in [
            ("Try-Tiny-0.31", "Try-Tiny", "0.31"),
            ("version-0.9929", "version", "0.9929"),
            ("Net-SSLeay-1.92", "Net-SSLeay", "1.92"),
            ("Perl-Version-v1.2.3", "Perl-Version", "v1.2.3"),
            ("Text-Tabs+Wrap-2013.0523", "Text-Tabs+Wrap", "2013.0523"),
            ("Moose-2.2201-TRIAL", "Moose", "2.2201-TRIAL"),
            ("Foo-Bar-1.0_01-TRIAL2", "Foo-Bar", "1.0_01-TRIAL2"),
            ("CGI.pm-3.15", "CGI.pm", "3.15"),
        ] {
            assert_eq!(name_and_version(dist), Some((name, version)));
        }
        assert_eq!(name_and_version("NoVersion"), None);
        assert_eq!(name_and_version("No-Version"), None);
    }

    fn read(content: &[u8], meta: &[u8]) -> Facts {
        let path = LayerPath::from("a/.meta/Try-Tiny-0.31/install.json");
        extract(&ClaimedFile { path: &path, content, companions: &[(MYMETA, meta)] })
    }

    #[test]
    fn the_licence_stands_in_another_file() {
        let record = br#"{"dist":"Try-Tiny-0.31","pathname":"E/ET/ETHER/Try-Tiny-0.31.tar.gz"}"#;
        let licence = |meta: &[u8]| read(record, meta).packages[0].licence.clone();
        assert_eq!(licence(br#"{"license":["mit","perl_5"],"name":"Try-Tiny"}"#).as_deref(), Some("mit, perl_5"));
        assert_eq!(licence(br#"{"license":["unknown"]}"#), None);
        assert_eq!(licence(b"[[[["), None);
        for end in 0..record.len() {
            let facts = read(&record[..end], b"");
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{end}");
        }
    }

    #[test]
    fn deep_nesting_is_a_gap() {
        let deep = format!(r#"{{"dist":"a-1","pathname":{}"#, "[".repeat(1 << 20));
        assert_eq!(read(deep.as_bytes(), b"").gaps.len(), 1);
    }
}
