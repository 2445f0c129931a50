//! What cannot be done: one message, with a hint, on standard error, and 2.

use super::image;
use super::place::Place;

#[test]
fn errors_say_what_and_how_else() {
    let place = Place::new();
    place.write("text", "no image\n");
    std::fs::create_dir(place.path("empty")).unwrap();
    let image = image::sample(&place, "image");
    let cases: &[(&[&str], &str)] = &[
        (&["scan", "ostree:/x"], "unknown transport `ostree`; known are oci:"),
        (&["scan", "nope://x"], "unknown transport `nope`"),
        (&["scan", ""], "empty image reference"),
        (&["scan", "/missing.tar"], "/missing.tar: no such file or directory"),
        (&["scan", "oci:missing:tag"], "missing: no such file or directory"),
        (&["scan", "docker-archive:missing.tar"], "missing.tar: no such file or directory"),
        (&["scan", "./text"], "archive ./text is malformed"),
        (&["scan", "./empty"], "empty is no image: the directory is empty"),
        (&["scan", "-"], "standard input"),
        (&["scan", &format!("{image}x")], "samplex"),
        (&["scan", &image, "--platform", "linux"], "such as linux/arm64"),
        (&["scan", &image, "--platform", "plan9/mips"], "plan9/mips"),
        (&["scan", &image, "--platform", "linux/amd64", "--all-platforms"], "cannot be used with"),
        (&["scan", &image, "--store", "ftp://x"], "ftp"),
        (&["scan", &image, "--threads", "0"], "0 is not in 1..=1024"),
        (&["scan", &image, "--format", "xml"], "[possible values: table, json]"),
        (&["scan", &image, "--output", "missing/report"], "cannot write missing/report"),
        (&["scan", "--file", "missing"], "cannot read missing"),
        (&["scna"], "'scan'"),
    ];
    for (arguments, said) in cases {
        let ran = place.run(arguments).expect(2);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

/// What is wrong with one of several images is said, and the others are reported on.
#[test]
fn one_of_several_may_fail() {
    let place = Place::new();
    let image = image::sample(&place, "image");
    let ran = place.run(&["scan", "/missing", &image, "--scanners", "packages", "--format", "json"]).expect(2);
    assert_eq!(ran.json()["reports"].as_array().unwrap().len(), 1);
    assert!(ran.stderr.contains("/missing"), "{}", ran.stderr);
    let ran = place.run(&["scan", "/missing", "/absent", "--format", "json"]).expect(2);
    assert_eq!(ran.json()["reports"].as_array().unwrap().len(), 0);
}

/// A store only spares work: without it the scan takes longer, and says why.
#[test]
fn a_store_that_does_not_answer_is_told_and_gone_without() {
    let place = Place::new();
    let image = image::sample(&place, "image");
    let mut scan = place.lazaret(&["scan", &image, "--scanners", "packages", "--store", "s3://bucket/prefix"]);
    scan.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_REGION", "eu-west-1");
    scan.env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret");
    let ran = place.end(scan.output().unwrap()).expect(0);
    assert!(ran.stderr.starts_with("warning: the store does not answer"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}
