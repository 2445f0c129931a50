//! `advisories import` and `info`, and scans with what they installed.

use std::fs;
use std::io::Write;

use super::image;
use super::place::Place;

#[test]
fn what_was_imported_is_told_and_used() {
    let place = Place::new();
    let image = image::levels(&place);
    let ran = place.run(&["advisories", "info"]).expect(2);
    assert!(ran.stderr.contains("run `lazaret advisories update`"), "{}", ran.stderr);

    let ran = place.run(&["advisories", "import", "records"]).expect(0);
    assert!(ran.stdout.starts_with("6 advisories with 6 ranges for 1 ecosystems, 0 withdrawn\n"), "{}", ran.stdout);
    let info = place.run(&["advisories", "info"]).expect(0).stdout;
    let npm: Vec<&str> = info.lines().find(|line| line.starts_with("npm ")).unwrap().split_whitespace().collect();
    assert_eq!(npm[1..3], ["6", "0"]);
    let digest = info.lines().find_map(|line| line.strip_prefix("digest    ")).unwrap();
    let report = place.run(&["scan", &image, "--offline", "--format", "json"]).expect(0).json();
    assert_eq!(report["coverage"]["snapshot"]["digest"], digest);
    assert_eq!(report["findings"].as_array().unwrap().len(), 6);
    assert_eq!(report["verdict"], "findings");

    // The same elsewhere, by name: the same bytes.
    fs::create_dir(place.path("there")).unwrap();
    let there = place.path("there");
    let there = there.to_str().unwrap();
    place.run(&["advisories", "--advisories", there, "import", "records"]).expect(0);
    let info = place.run(&["advisories", "info", "--advisories", there]).expect(0).stdout;
    assert!(info.contains(digest), "{info}");
    place.run(&["scan", &image, "--offline", "--advisories", there, "--fail-on", "critical"]).expect(1);
}

#[test]
fn a_scan_fetches_what_the_image_needs_and_nothing_twice() {
    let place = Place::new();
    let image = image::levels(&place);
    let mirror = place.path("mirror");
    fs::create_dir_all(mirror.join("npm")).unwrap();
    let mut bytes = Vec::new();
    let mut zip = rawzip::ZipArchiveWriter::new(&mut bytes);
    for record in fs::read_dir(place.path("records")).unwrap() {
        let path = record.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let (mut entry, config) =
            zip.new_file(name).compression_method(rawzip::CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(&fs::read(&path).unwrap()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    zip.finish().unwrap();
    fs::write(mirror.join("npm/all.zip"), bytes).unwrap();
    let mirror = mirror.to_str().unwrap();
    let report = place.run(&["scan", &image, "--advisories-from", mirror, "--format", "json"]).expect(0).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 6);
    assert!(report["coverage"]["snapshot"]["date"].is_string());
    // Now it is there: the next scan needs no mirror.
    fs::remove_dir_all(mirror).unwrap();
    let again = place.run(&["scan", &image, "--advisories-from", "/missing", "--format", "json"]).expect(0).json();
    assert_eq!(again, report);
    place.run(&["scan", &image, "--advisories-from", mirror, "--offline"]).expect(2);
}

#[test]
fn what_cannot_be_read_is_told() {
    let place = Place::new();
    image::levels(&place);
    place.write("records/broken.json", "{ \"id\": 1");
    let ran = place.run(&["advisories", "import", "records"]);
    assert!(ran.stderr.contains("1 records could not be read") && ran.stderr.contains("broken.json"), "{ran:?}");
    let ran = place.run(&["advisories", "import", "missing"]).expect(2);
    assert!(ran.stderr.contains("missing"), "{}", ran.stderr);
    let ran = place.run(&["advisories", "import"]).expect(2);
    assert!(ran.stderr.contains("<PATH>"), "{}", ran.stderr);
    // A snapshot that is none is no zero.
    let file = place.write("snapshot", "no snapshot\n");
    let ran = place.run(&["scan", &image::sample(&place, "image"), "--offline", "--advisories", &file]).expect(0);
    assert!(ran.stdout.contains("INCOMPLETE"), "{}", ran.stdout);
}
