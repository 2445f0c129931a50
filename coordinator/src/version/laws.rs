//! What holds for every scheme: its table, the laws of a total order, and calm in the face of hostile text.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::check::check_table;
use super::{Scheme, Version, VersionError, compare};

fn table(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Apk => include_str!("tables/apk.txt"),
        Scheme::Deb => include_str!("tables/deb.txt"),
        Scheme::Rpm => include_str!("tables/rpm.txt"),
        Scheme::Pep440 => include_str!("tables/pep440.txt"),
        Scheme::Npm => include_str!("tables/npm.txt"),
        Scheme::Semver => include_str!("tables/semver.txt"),
        Scheme::Maven => include_str!("tables/maven.txt"),
        Scheme::NuGet => include_str!("tables/nuget.txt"),
        Scheme::Composer => include_str!("tables/composer.txt"),
        Scheme::Gem => include_str!("tables/gem.txt"),
        Scheme::Cran => include_str!("tables/cran.txt"),
        Scheme::Hackage => include_str!("tables/hackage.txt"),
        Scheme::Opam => include_str!("tables/opam.txt"),
        Scheme::Pub => include_str!("tables/pub.txt"),
    }
}

#[test]
fn tables_hold() {
    for scheme in Scheme::ALL {
        let mut said = Vec::new();
        let wrong = check_table(scheme, table(scheme).as_bytes(), &mut said).unwrap();
        assert!(!wrong, "{scheme}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn what_a_tool_refuses_is_refused() {
    let refused: [(Scheme, &[&str]); 14] = [
        (
            Scheme::Apk,
            &[
                "a",
                "1.",
                "1..2",
                ".1",
                "1.0bc",
                "1.0a.1",
                "1.0_",
                "1.0_foo",
                "1.0_alphabeta",
                "1.0_p1a",
                "1.0~",
                "1.0~xyz",
                "1.0~AB",
                "1.0-1",
                "1.0-r",
                "1.0-r1-r2",
                "1.0-r1_p1",
                "1.0-r1~ab",
                "1:1.0",
                "1.0+1",
                "1.0 ",
            ],
        ),
        (Scheme::Deb, &[":1", "a:1", "1:", "1:-1", "-1", "1-", "2147483648:1", "+1:1", "1 2", "1.0é"]),
        (Scheme::Rpm, &["1:", "-1", "1-", "...", "1-...", "1 2", "1.0é"]),
        (
            Scheme::Pep440,
            &[
                "a",
                "1.",
                "1..2",
                ".1",
                "1.0-",
                "1.0+",
                "1.0+a..b",
                "1.0+a+b",
                "!1",
                "1!",
                "1.0.foo",
                "1.0-1-1",
                "1.0dev1a1",
                "1.0post1rc1",
                "1.0 1",
                "vv1",
                "٣",
                "1.0poſt1",
            ],
        ),
        (
            Scheme::Npm,
            &[
                "1",
                "1.2",
                "1.2.3.4",
                "1.2.34.5",
                "1.2.x",
                "1.2.3+",
                "1.2.3-a..b",
                "1.2.3-a+b+c",
                "latest",
                "V1.2.3",
                "1.2.9007199254740992",
                "1.2.3-é",
            ],
        ),
        (
            Scheme::Semver,
            &[
                "1.2.3.4",
                "01.2.3",
                "1.2.03",
                "1.2.3-",
                "1.2.3-01",
                "1.2.3-a..b",
                "1.2.3+",
                "1.2.3beta",
                "=1.2.3",
                "vv1.2.3",
                "1.2-rc",
                "1.2+b",
                "1.",
                "v",
                " 1.2.3",
            ],
        ),
        (Scheme::Maven, &["1 2", " 1", "1.0\t", "1.0é", "...", "-.-", "+"]),
        (
            Scheme::NuGet,
            &[
                "1.2.3.4.5",
                "1.",
                ".1",
                "1..2",
                "v1.0",
                "1.0-",
                "1.0-a..b",
                "1.0-01",
                "1.0-a_b",
                "1.0+",
                "1.0-a+",
                "1.0-+b",
                "1.0+a+b",
                "2147483648.0",
                "1.2 3",
                "1.x",
                "1.0a",
            ],
        ),
        (
            Scheme::Composer,
            &[
                "dev-main",
                "DEV-x",
                "master",
                "trunk",
                "default",
                "main",
                "dev",
                "1.2.3.4.5",
                "123.456.7-x",
                "1.0-foo",
                "1.0-beta-",
                "1.0-beta_dev",
                "1.0+",
                "1.0 as 2.0",
                "1.0@beta",
                "^1.0",
                "1.x",
                "1000000.1",
                "2010-1-02",
                "2010-01-02-03-04-05-06-07-8",
                "1.0#abc",
                "feature-dev",
                "x-dev",
                "1.0.0.0.0-dev",
                "1.0-stable-",
            ],
        ),
        (
            Scheme::Gem,
            &[
                "a", "a.1", "1a", "1.", "1..2", ".1", "1.0-", "1.0-a..b", "1.0+1", "1.0_1", "v1.0", "1 2", "1.0é",
                "junk",
            ],
        ),
        (Scheme::Cran, &["1", "1.", ".1", "1..2", "1.-2", "1.2-", "1.2a", "v1.2", "1.2147483648", "1_2", " 1.2"]),
        (Scheme::Hackage, &["1.", ".1", "1..2", "1.01", "00", "1.0-beta", "1.1234567890", "v1", " 1.0", "1.0 "]),
        (Scheme::Opam, &["1:1.0", "1.0 ", "1.0/2", "1.0é", "1,0"]),
        (
            Scheme::Pub,
            &[
                "1",
                "1.2",
                "1.2.3.4",
                "v1.2.3",
                "1.2.x",
                "1.2.3-",
                "1.2.3+",
                "1.2.3-a..b",
                "1.2.3+a+b",
                "1.2.3beta",
                "1.2.9223372036854775808",
                " 1.2.3",
            ],
        ),
    ];
    for (scheme, texts) in refused {
        for text in texts.iter().chain(&["", "\0", "1\0", "\u{202e}", "-", "~"]) {
            // dpkg's warning, not an error, and words like others for opam; all that a scheme reads of these texts.
            if matches!((scheme, *text), (Scheme::Deb | Scheme::Opam, "~") | (Scheme::Opam, "-")) {
                continue;
            }
            assert!(Version::parse(scheme, text).is_err(), "{scheme} reads {text:?}");
        }
    }
}

#[test]
fn errors_name_the_version_safely() {
    let error = compare(Scheme::Deb, "1", &format!("\x1b[31m{}", "x".repeat(1 << 20))).unwrap_err().to_string();
    assert!(error.starts_with("`\\x1b[31mxxx") && error.len() < 200, "{error}");
}

#[test]
fn schemes_are_never_mixed() {
    for a in Scheme::ALL {
        assert_eq!(a.name().parse(), Ok(a));
        for b in Scheme::ALL {
            let order = Version::parse(a, "1.2.3").unwrap().compare(&Version::parse(b, "1.2.3").unwrap());
            let expected = if a == b { Ok(Ordering::Equal) } else { Err(VersionError::Mixed { left: a, right: b }) };
            assert_eq!(order, expected);
        }
    }
    assert_eq!("latin".parse::<Scheme>(), Err(VersionError::UnknownScheme("latin".to_owned())));
}

#[test]
fn hostile_text_takes_linear_time() {
    let units = [
        "1", "0", "a", ".", "-", "~", "^", "1.", ".1", "0.", "a1", "_p", "_p1", "-1", "+", "+a", ":", "1:", "!", "v",
        " ", "\0", "é",
    ];
    for scheme in Scheme::ALL {
        let began = Instant::now();
        for (index, unit) in units.into_iter().enumerate() {
            let length = if index == 0 { 1 << 20 } else { 1 << 15 };
            for (head, tail) in [("", ""), ("1.0", ""), ("1.0.0-", "1"), ("1.0+", "2"), ("1:1-", "-r1")] {
                let body = unit.repeat(length / unit.len());
                let (a, b) = (format!("{head}{body}{tail}"), format!("{head}{body}{tail}1"));
                if let (Ok(a), Ok(b)) = (Version::parse(scheme, &a), Version::parse(scheme, &b)) {
                    assert_eq!(a.compare(&a), Ok(Ordering::Equal));
                    assert_eq!(a.compare(&b).unwrap(), b.compare(&a).unwrap().reverse());
                }
            }
        }
        // Quadratic, a megabyte of digits alone would take an hour.
        assert!(began.elapsed() < Duration::from_secs(60), "{scheme} took {:?}", began.elapsed());
    }
}

/// Texts that `scheme` mostly reads, of so few different pieces that ties and near misses are frequent.
fn text(scheme: Scheme) -> BoxedStrategy<String> {
    match scheme {
        Scheme::Apk => "[0-2](\\.(0|1|2|10|01|00)){0,2}[ab]?(_(alpha|rc|git|p)[0-2]?){0,2}(~[a-b0])?(-r[0-2])?".boxed(),
        Scheme::Deb => "([01]:)?[0-2]([.~+ab-]{0,2}[0-2]{0,2}){0,3}".boxed(),
        Scheme::Rpm => "([01]:)?[0-2]([.~^+ab_]{0,2}[0-2]{0,2}){0,3}(-[0-2]([.~^]?[ab0-2]){0,2})?".boxed(),
        Scheme::Pep440 => concat!(
            "([01]!)?[0-2](\\.[0-2]){0,2}([-_.]?(a|beta|rc|c|PRE)[-.]?[0-2]?)?(-[0-2]|[-.]?(post|r)[0-2]?)?",
            "([-.]?dev[0-2]?)?(\\+[abA0-2]{1,2}([-.][abA0-2]{1,2})?)?",
        )
        .boxed(),
        Scheme::Npm => "[v=]?0?[01]\\.[01]\\.[01](-?[abA-]([.][0-2ab-]{1,2}){0,2})?(\\+[ab0])?".boxed(),
        // Without the qualifiers after which Maven's order is none (see there).
        Scheme::Maven => concat!(
            "[0-2](\\.[0-2]){0,3}(-?(alpha|A|b|rc|CR|SNAPSHOT|sp|foo|x)(-?[0-2])?|-[0-2](\\.[0-2]){0,2}",
            "|-(ga|final)(-?[12])?|\\.(rc|Final|RELEASE|foo|sp|b)[0-2]?)?",
        )
        .boxed(),
        Scheme::NuGet => "0?[01](\\.[01]){0,3}(-[abA0-2-](\\.([0-2]|10|[ab-]{1,2}|-1)){0,2})?(\\+[ab0])?".boxed(),
        Scheme::Composer => concat!(
            "v?([01](\\.(0|1|10|x)){0,3}|2010[-.]?01([-.]?0[12]){0,2}(\\.[12])?)",
            "([._-]?(stable|Stable|a|beta|RC|p|pl)([.-]?[0-2]){0,2})?([.-]?dev)?(\\+[ab0])?",
        )
        .boxed(),
        Scheme::Gem => "0?[01](\\.(0|1|2|10|a|b|A|b1|1a|pre)){0,3}(-[ab0-2-]{1,2}(\\.[ab0-2-]){0,2})?".boxed(),
        Scheme::Cran => "[0-2]([.-](0|1|2|10|01)){1,3}".boxed(),
        Scheme::Hackage => "[0-2](\\.(0|1|2|10)){0,3}".boxed(),
        Scheme::Opam => "v?[0-2]([.~+ab_-]{0,2}[0-2]{0,2}){0,3}".boxed(),
        Scheme::Pub => concat!(
            "0?[01]\\.[01]\\.[01](-([ab]|0|1|-1|0x1)(\\.([0-2]|10|[ab-]{1,2})){0,2})?",
            "(\\+([ab]|0|01|1)(\\.[0-2a])?)?",
        )
        .boxed(),
        Scheme::Semver => "v?[01]\\.[01]\\.[01](-[abA0-2-](\\.([0-2]|10|[ab-]{1,2})){0,2})?(\\+[ab0])?".boxed(),
    }
}

fn three_texts() -> impl Strategy<Value = (Scheme, [String; 3])> {
    proptest::sample::select(&Scheme::ALL[..])
        .prop_flat_map(|scheme| (Just(scheme), [text(scheme), text(scheme), text(scheme)]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6_000) })]

    #[test]
    fn every_scheme_is_a_total_order((scheme, texts) in three_texts()) {
        // A few are no versions, such as a Debian one that ends in a hyphen.
        let versions: Vec<_> = texts.iter().filter_map(|text| Version::parse(scheme, text).ok()).collect();
        let order = |a: &Version<'_>, b: &Version<'_>| a.compare(b).unwrap();
        for a in &versions {
            prop_assert_eq!(order(a, a), Ordering::Equal);
            for b in &versions {
                prop_assert_eq!(order(a, b), order(b, a).reverse());
                for c in &versions {
                    if order(a, b).is_le() && order(b, c).is_le() {
                        prop_assert!(order(a, c).is_le());
                        prop_assert_eq!(order(a, c).is_eq(), order(a, b).is_eq() && order(b, c).is_eq());
                    }
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(a in any::<String>(), b in "[ -~]{0,24}") {
        for scheme in Scheme::ALL {
            let _ = compare(scheme, &a, &b);
            prop_assert_eq!(compare(scheme, &b, &b).unwrap_or(Ordering::Equal), Ordering::Equal);
        }
    }
}
