//! 0, 1 and 2: what each means, at every severity.

use super::image::{self, LEVELS};
use super::place::Place;

#[test]
fn one_says_that_a_finding_is_as_bad_as_that() {
    let place = Place::new();
    let image = image::levels(&place);
    place.run(&["advisories", "import", place.path("records").to_str().unwrap()]).expect(0);
    for (shown, (level, _)) in LEVELS.into_iter().enumerate() {
        for (limit, (fail_on, _)) in LEVELS.into_iter().enumerate() {
            let ran = place.run(&[
                "scan",
                &image,
                "--offline",
                "--severity",
                level,
                "--fail-on",
                fail_on,
                "--format",
                "json",
            ]);
            let ran = ran.expect(i32::from(shown <= limit));
            let report = ran.json();
            let names: Vec<_> = report["findings"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
            assert_eq!(names, [level]);
            assert_eq!(ran.stderr, "");
        }
        place.run(&["scan", &image, "--offline", "--severity", level, "--fail-on", "none"]).expect(0);
        place.run(&["scan", &image, "--offline", "--severity", level]).expect(0);
    }
    // What is not looked for fails nothing.
    place.run(&["scan", &image, "--offline", "--scanners", "packages", "--fail-on", "unknown"]).expect(0);
}

#[test]
fn the_sample_shows_the_codes_without_any_image() {
    let place = Place::new();
    let ran = place.run(&["scan"]).expect(0);
    assert!(ran.stdout.contains("33 packages, 12 findings"), "{}", ran.stdout);
    assert!(ran.stderr.contains("built-in sample"), "{}", ran.stderr);
    place.run(&["scan", "--fail-on", "critical"]).expect(1);
    place.run(&["scan", "--fail-on", "unknown"]).expect(1);
    place.run(&["scan", "--fail-on", "none"]).expect(0);
    place.run(&["scan", "--fail-on-incomplete"]).expect(0);
    place.run(&["scan", "--severity", "medium", "--fail-on", "high"]).expect(0);
    place.run(&["scan", "--fail-on", "dreadful"]).expect(2);
}

#[test]
fn no_snapshot_is_incomplete_and_says_what_to_do() {
    let place = Place::new();
    let image = image::sample(&place, "image");
    let ran = place.run(&["scan", &image, "--offline"]).expect(0);
    assert!(ran.stdout.contains("INCOMPLETE"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("run `lazaret advisories update`, or `lazaret advisories import PATH`"),
        "{}",
        ran.stdout
    );
    place.run(&["scan", &image, "--offline", "--fail-on-incomplete"]).expect(2);
    // Nothing that no advisory could know is missed by looking for packages alone.
    place.run(&["scan", &image, "--offline", "--fail-on-incomplete", "--scanners", "packages"]).expect(0);
}

#[test]
fn a_failed_layer_is_two_and_a_report() {
    let place = Place::new();
    let image = image::sample(&place, "image");
    image::corrupt(&place, "image");
    let arguments = ["scan", &image, "--offline", "--scanners", "packages"];
    let table = place.run(&arguments).expect(2);
    assert!(table.stdout.contains("INCOMPLETE") && table.stdout.contains(" failed: "), "{}", table.stdout);
    let report = place.run(&[&arguments[..], &["--format", "json"]].concat()).expect(2).json();
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(report["coverage"]["complete"], false);
    let failed: Vec<_> =
        report["layers"].as_array().unwrap().iter().filter_map(|layer| layer["error"].as_str()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    // It is kept nowhere: once the blob is whole again, so is the report.
    image::sample(&place, "image");
    place.run(&[&arguments[..], &["--fail-on-incomplete"]].concat()).expect(0);
}
