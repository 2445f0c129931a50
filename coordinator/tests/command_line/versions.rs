//! `version compare` for each scheme, by hand and from a table.

use std::io::Write;
use std::process::Stdio;

use super::place::{Place, Ran};

const SCHEMES: &[(&str, &str, &str)] = &[
    ("apk", "1.2.3_rc1-r0", "1.2.3-r0"),
    ("deb", "1.0~rc1-1", "1.0-1"),
    ("rpm", "1.0~rc1-1", "0:1.0-1"),
    ("pep440", "1.0rc1", "1.0"),
    ("npm", "1.0.0-rc.1", "1.0.0"),
    ("semver", "1.0.0-rc.1", "1.0.0"),
    ("maven", "1.0-rc1", "1.0"),
    ("cran", "1.0-9", "1.0.10"),
    ("hackage", "1.0", "1.0.0"),
    ("opam", "1.0~rc1", "1.0"),
    ("pub", "1.0.0", "1.0.0+1"),
    ("nuget", "1.0.0-RC.1", "1.0.0.0"),
    ("composer", "1.0-rc1", "v1.0.0"),
    ("gem", "1.0.0.rc1", "1.0"),
];

fn table(place: &Place, scheme: &str, lines: &str) -> Ran {
    let mut command = place.lazaret(&["version", "compare", scheme, "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    place.end(child.wait_with_output().unwrap())
}

#[test]
fn each_scheme_tells_how_two_versions_stand() {
    let place = Place::new();
    for (scheme, a, b) in SCHEMES {
        for (a, sign, b) in [(a, "<", b), (b, ">", a), (a, "=", a)] {
            let ran = place.run(&["version", "compare", scheme, a, b]).expect(0);
            assert_eq!(ran.stdout, format!("{sign}\n"), "{scheme} {a} {b}");
        }
        let right = table(&place, scheme, &format!("# true\n\n{a} < {b}\n{b} > {a} # a comment\n{a} = {a}\n"));
        assert_eq!(right.expect(0).stdout, "0 of 3 wrong\n");
        let wrong = table(&place, scheme, &format!("{a} < {b}\n{a} > {b}\n{a} ? {b}\n")).expect(1);
        assert!(wrong.stdout.starts_with(&format!("line 2: {a} > {b} should be <\nline 3: ")), "{}", wrong.stdout);
        assert!(wrong.stdout.ends_with("2 of 3 wrong\n"), "{}", wrong.stdout);
    }
}

#[test]
fn what_is_no_version_is_an_error() {
    let place = Place::new();
    for (arguments, said) in [
        (&["deb", "1-", "1"][..], "is no deb version"),
        (&["pep440", "x", "1"], "is no pep440 version"),
        (&["npm", "1", "1.0.0"], "is no npm version"),
        (&["deb", "1"], "a second version is missing"),
        (&["latin", "1", "2"], "apk, deb, rpm"),
    ] {
        let ran = place.run(&[&["version", "compare"], arguments].concat()).expect(2);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}
