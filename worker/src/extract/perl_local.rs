//! Perl modules that were installed without a record of cpanm's: `perllocal.pod` and packlists.

use std::collections::BTreeMap;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::package::Package;

use super::control::lines;
use super::word::word;
use super::{ClaimedFile, Content, Extractor};

/// `perllocal.pod`, to which `make install` of a module writes what it installs (`ExtUtils::Command::MM`, `perllocal_install`):
///
/// ```text
/// =head2 Thu Nov 26 06:32:43 2026: C<Module> L<Foo::Bar|Foo::Bar>
/// …
/// C<VERSION: 1.25>
/// ```
///
/// Modules are named, not the distributions that they come in, and no author; a package URL without an author means just
/// that (`pkg:cpan/Foo::Bar`). Of a module that was installed several times the last entry counts. The composition joins
/// them with what cpanm knows, and with their packlists.
pub(crate) static PERL_LOCAL: Extractor = Extractor {
    name: "perl-local",
    version: 1,
    claims: |path| path.strip_suffix(b"perllocal.pod").is_some_and(|above| above.is_empty() || above.ends_with(b"/")),
    content: Content::Whole(16 << 20),
    companions: &[],
    yields: &[Ecosystem::Cpan],
    form: "`perllocal.pod`",
    extract: local,
};

/// `auto/Foo/Bar/.packlist`, the list of files that belong to a module, of which it says the name alone (`perldoc
/// ExtUtils::Packlist`). Perl's own list is not below `auto`.
pub(crate) static PACKLIST: Extractor = Extractor {
    name: "perl-packlist",
    version: 1,
    claims: |path| module_path(path).is_some(),
    content: Content::NameOnly,
    companions: &[],
    yields: &[Ecosystem::Cpan],
    form: "packlists",
    extract: packlist,
};

fn local(file: &ClaimedFile<'_>) -> Facts {
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    let mut module = None;
    let mut doubt = None;
    for line in lines(file.content) {
        if let Some(heading) = line.strip_prefix(b"=head2 ") {
            module = named(heading).inspect(|name| {
                found.insert(name, "");
            });
            if module.is_none() && memchr::memmem::find(heading, b"C<Module>").is_some() {
                doubt = Some("perllocal.pod with an entry that does not name a module");
            }
        } else if let (Some(name), Some(rest)) = (module, line.strip_prefix(b"C<VERSION: ")) {
            // Makefiles write `undef` where a module has none; then its version is not known.
            let version = rest.strip_suffix(b">").and_then(word).filter(|&version| version != "undef");
            found.insert(name, version.unwrap_or_default());
        }
    }
    let packages = found.into_iter().map(|(name, version)| Package::new(Ecosystem::Cpan, name, version)).collect();
    let gaps = doubt.map(|reason| file.gap(GapKind::Malformed, reason)).into_iter().collect();
    Facts { packages, gaps, ..Facts::default() }
}

/// The module of `DATE: C<Module> L<NAME|NAME>`.
fn named(heading: &[u8]) -> Option<&str> {
    let mark = b"C<Module> L<";
    let start = memchr::memmem::find(heading, mark)? + mark.len();
    let name = heading.get(start..)?.split(|&b| b == b'|' || b == b'>').next()?;
    word(name).filter(|name| is_module(name))
}

fn packlist(file: &ClaimedFile<'_>) -> Facts {
    let name = module_path(file.path.as_bytes()).and_then(word).map(|path| path.replace('/', "::"));
    match name.filter(|name| is_module(name)) {
        Some(name) => Facts { packages: vec![Package::new(Ecosystem::Cpan, name, "")], ..Facts::default() },
        None => {
            let gap = file.gap(GapKind::Malformed, "a packlist of Perl's whose place names no module");
            Facts { gaps: vec![gap], ..Facts::default() }
        }
    }
}

/// `Foo/Bar` of `…/auto/Foo/Bar/.packlist`.
fn module_path(path: &[u8]) -> Option<&[u8]> {
    let directory = path.strip_suffix(b"/.packlist")?;
    let mark = b"/auto/";
    let end = memchr::memmem::rfind(directory, mark).map(|at| at + mark.len());
    let start = end.or_else(|| directory.starts_with(b"auto/").then_some(5))?;
    directory.get(start..).filter(|module| !module.is_empty())
}

/// What names of modules are made of: words with `::` between, where the old `'` and hyphens happen too.
fn is_module(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-'".contains(&b));
    name.split("::").all(is_part)
}

#[cfg(test)]
mod tests {
    use lazaret::path::LayerPath;

    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&PERL_LOCAL);
        golden::check(&PACKLIST);
    }

    #[test]
    fn claims_the_records_of_installed_modules() {
        for path in ["perllocal.pod", "usr/local/lib/x86_64-linux-gnu/perl/5.36.0/perllocal.pod"] {
            assert!((PERL_LOCAL.claims)(path.as_bytes()), "{path}");
        }
        for path in ["", "perllocal.pod/x", "xperllocal.pod", "perllocal.pod.gz"] {
            assert!(!(PERL_LOCAL.claims)(path.as_bytes()), "{path}");
        }
        for path in ["auto/A/.packlist", "opt/lib/perl5/x86_64-linux/auto/A/B/.packlist", "auto/x/auto/A/.packlist"] {
            assert!((PACKLIST.claims)(path.as_bytes()), "{path}");
        }
        for path in [
            "",
            ".packlist",
            "auto/.packlist",
            "usr/lib/perl5/5.38.2/x86_64-linux/.packlist",
            "auto/A/x.packlist",
            "auto/A/.packlist/x",
            "xauto/A/.packlist",
        ] {
            assert!(!(PACKLIST.claims)(path.as_bytes()), "{path}");
        }
    }

    fn told(content: &[u8]) -> (Vec<String>, usize) {
        let path = LayerPath::from("lib/perllocal.pod");
        let facts = local(&ClaimedFile { path: &path, content, companions: &[] });
        let packages = facts.packages.iter().map(|package| format!("{} {}", package.name, package.version));
        (packages.collect(), facts.gaps.len())
    }

    fn entry(name: &str, version: &str) -> String {
        format!(
            "=head2 Thu Nov 26 06:32:43 2026: C<Module> L<{name}|{name}>\n\n=over 4\n\n=item *\n\nC<installed into: /usr>\n\n=item *\n\nC<VERSION: {version}>\n\n=back\n\n"
        )
    }

    #[test]
    fn the_last_entry_of_a_module_counts() {
        let log = [entry("A::B", "1.0"), entry("C", "v0.2.1"), entry("A::B", "1.10")].concat();
        assert_eq!(told(log.as_bytes()), (vec!["A::B 1.10".to_owned(), "C v0.2.1".to_owned()], 0));
        assert_eq!(told(log.replace('\n', "\r\n").as_bytes()).0.len(), 2);
        let unknown = [entry("A", "1.0"), entry("A", "undef")].concat();
        assert_eq!(told(unknown.as_bytes()), (vec!["A ".to_owned()], 0), "the version that is there is not the older");
    }

    #[test]
    fn odd_entries() {
        let long = "1".repeat(257);
        for version in ["", "undef", "1 2", "1\u{7}", &long] {
            assert_eq!(told(entry("A", version).as_bytes()), (vec!["A ".to_owned()], 0), "{version}");
        }
        let long = "A".repeat(257);
        for name in ["", "A B", "::A", "A/B", "é", &long] {
            assert_eq!(told(entry(name, "1").as_bytes()), (vec![], 1), "{name}");
        }
        for other in ["=head1 NAME\n\nC<VERSION: 1>\n", "=head2 Words\n\nC<VERSION: 1>\n", "", "\u{feff}"] {
            assert_eq!(told(other.as_bytes()), (vec![], 0), "{other}");
        }
        let utf16: Vec<u8> = entry("A", "1").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(told(&utf16).0.len(), 0);
    }

    #[test]
    fn what_is_cut_says_less_and_nothing_else() {
        let log = [entry("A::B", "1.0"), entry("C", "2")].concat();
        for end in 0..log.len() {
            let (packages, _) = told(&log.as_bytes()[..end]);
            let sound = |told: &String| ["A::B 1.0", "A::B ", "C 2", "C "].contains(&told.as_str());
            // A name that is cut is another's.
            let cut = |told: &String| told.len() <= "A::B ".len();
            assert!(packages.iter().all(|told| sound(told) || cut(told)), "{end} {packages:?}");
        }
    }

    #[test]
    fn many_entries_take_time_in_proportion() {
        let log: String = (0..50_000).map(|n| entry(&format!("A{}", n % 5), "1")).collect();
        assert_eq!(told(log.as_bytes()).0.len(), 5);
        assert_eq!(told("=head2 C<Module> ".repeat(500_000).as_bytes()), (vec![], 1));
    }
}
