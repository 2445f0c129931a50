//! Several images: from the command line, from a list, and what becomes of their reports.

use super::image;
use super::place::Place;

#[test]
fn a_list_may_have_comments_and_repeat_itself() {
    let place = Place::new();
    let (a, b) = (image::sample(&place, "a"), image::sample(&place, "b"));
    let list = place.write("list", &format!("# images\n\n  {a}  \r\n{b} # the other one\n{a}\n   # {b}\n{b}\n"));
    let arguments = ["scan", "--file", &list, "--scanners", "packages", "--format", "json"];
    let document = place.run(&arguments).expect(0).json();
    assert_eq!(document["schema"], "lazaret-report/1");
    let references = |document: &serde_json::Value| -> Vec<String> {
        let reports = document["reports"].as_array().unwrap();
        reports.iter().map(|report| report["image"]["reference"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(references(&document), [a.clone(), b.clone()]);
    // What the command line names comes first.
    let document = place.run(&[&arguments[..], &[&b]].concat()).expect(0).json();
    assert_eq!(references(&document), [b.clone(), a.clone()]);

    let one = place.write("one", &format!("{a}\n{a}\n"));
    let arguments = ["scan", "--file", &one, "--scanners", "packages", "--format", "json"];
    assert_eq!(place.run(&arguments).expect(0).json()["image"]["reference"], *a);

    let none = place.write("none", "# nothing\n\n");
    let ran = place.run(&["scan", "--file", &none]).expect(2);
    assert!(ran.stderr.contains("the list names no image"), "{}", ran.stderr);
}

#[test]
fn several_images_give_the_plural_form() {
    let place = Place::new();
    let (a, b) = (image::sample(&place, "a"), image::sample(&place, "b"));
    let arguments = ["scan", &a, &b, &a, "--scanners", "packages"];
    let table = place.run(&arguments).expect(0).stdout;
    assert_eq!(table.matches("33 packages: clean").count(), 2, "{table}");
    let document = place.run(&[&arguments[..], &["--format", "json"]].concat()).expect(0).json();
    assert_eq!(document["reports"].as_array().unwrap().len(), 2);
    // Every platform, even if there is one only.
    let document = place.run(&["scan", &a, "--all-platforms", "--offline", "--format", "json"]).expect(0).json();
    assert_eq!(document["reports"].as_array().unwrap().len(), 1);
}
