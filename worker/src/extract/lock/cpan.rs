//! Perl: `cpanfile.snapshot` of Carton (<https://metacpan.org/pod/Carton>).

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::Facts;

use super::found::{Unreadable, read};
use super::place::is_named;
use super::{ClaimedFile, Extractor, WHOLE};

/// The distributions: `  NAME-VERSION`, with their path on CPAN, which begins with the author, below. They are named
/// `AUTHOR/NAME`, as package URLs do.
pub(crate) static CPAN: Extractor = Extractor {
    name: "lock-cpan",
    version: 1,
    claims: |path| is_named(path, &["cpanfile.snapshot"]),
    content: WHOLE,
    companions: &[],
    yields: &[Ecosystem::Cpan],
    form: "`cpanfile.snapshot`",
    extract,
};

fn extract(file: &ClaimedFile<'_>) -> Facts {
    read(file, |text, found| {
        let mut lines = found.lines(text);
        if !lines.any(|line| line.trim_end() == "DISTRIBUTIONS") {
            return Err(Unreadable::malformed("no list of distributions"));
        }
        let mut distribution: Option<&str> = None;
        for line in lines {
            if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
                if distribution.replace(name.trim_end()).is_some() {
                    // The one before had no path.
                    found.invalid();
                }
            } else if let Some(pathname) = line.strip_prefix("    pathname: ")
                && let Some(distribution) = distribution.take()
            {
                match (name_and_version(distribution), pathname.split('/').nth(2)) {
                    (Some((name, version)), Some(author)) => {
                        found.add(Ecosystem::Cpan, format!("{author}/{name}"), version, None);
                    }
                    _ => found.invalid(),
                }
            }
        }
        if distribution.is_some() {
            found.invalid();
        }
        Ok(())
    })
}

/// At the last dash that a digit follows: names have dashes, and versions may end in `-TRIAL`.
fn name_and_version(distribution: &str) -> Option<(&str, &str)> {
    let is_digit = |rest: &str| rest.strip_prefix('v').unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit());
    let (at, _) = distribution.rmatch_indices('-').find(|&(at, _)| is_digit(&distribution[at + 1..]))?;
    Some((&distribution[..at], &distribution[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_begin_at_a_digit() {
        for (distribution, expected) in [
            ("Moose-2.2015", Some(("Moose", "2.2015"))),
            ("libwww-perl-6.67", Some(("libwww-perl", "6.67"))),
            ("Foo-v1.2.3-TRIAL", Some(("Foo", "v1.2.3-TRIAL"))),
            ("Digest-SHA1", None),
            ("", None),
        ] {
            assert_eq!(name_and_version(distribution), expected);
        }
    }
}
