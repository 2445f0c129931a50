//! Images and advisories made for tests.

use std::fs;
use std::path::Path;

use lazaret_loadtest::layout::{self, Step};
use lazaret_loadtest::sample;
use lazaret_loadtest::tar::Tar;
use serde_json::json;

use super::place::Place;

/// Each severity with a CVSS vector of it.
pub const LEVELS: [(&str, &str); 6] = [
    ("critical", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
    ("high", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
    ("medium", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"),
    ("low", "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"),
    ("negligible", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
    ("unknown", ""),
];

/// An image with a Node package for each severity, named by it, and a directory with their advisories. Gives the reference.
pub fn levels(place: &Place) -> String {
    let mut tar = Tar::default();
    let records = place.path("records");
    fs::create_dir(&records).unwrap();
    for (number, (level, vector)) in LEVELS.into_iter().enumerate() {
        tar = node(tar, level, level, "1.0.0");
        let mut record = json!({
            "schema_version": "1.7.0", "id": format!("GHSA-{level}"), "modified": "2024-09-15T00:00:00Z",
            "aliases": [format!("CVE-2024-{number}")],
            "affected": [{
                "package": { "ecosystem": "npm", "name": level },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
            }],
        });
        if !vector.is_empty() {
            record["severity"] = json!([{ "type": "CVSS_V3", "score": vector }]);
        }
        fs::write(records.join(format!("{level}.json")), record.to_string()).unwrap();
    }
    one_layer(place, "levels", tar)
}

/// Adds an installed Node package in `directory`.
pub fn node(tar: Tar, directory: &str, name: &str, version: &str) -> Tar {
    let directory = format!("app/node_modules/{directory}");
    let manifest = json!({ "name": name, "version": version }).to_string();
    tar.directory(&directory).file(&format!("{directory}/package.json"), &manifest)
}

/// An image with one layer, in a layout named `name`. Gives the reference.
pub fn one_layer(place: &Place, name: &str, tar: Tar) -> String {
    let step = Step { created_by: "COPY . /app # buildkit", tar };
    layout::write(&place.path(name), "test", &json!({}), vec![step]).unwrap();
    format!("oci:{}:test", place.path(name).display())
}

/// The sample image in a layout named `name`. Gives the reference.
pub fn sample(place: &Place, name: &str) -> String {
    let directory = place.path(name);
    sample::write_image(&directory).unwrap();
    format!("oci:{}:{}", directory.display(), sample::TAG)
}

/// Changes one bit of a layer of the layout named `name`, which is known by the mark of gzip.
pub fn corrupt(place: &Place, name: &str) {
    let blobs = place.path(name).join("blobs/sha256");
    let gzipped = |path: &Path| fs::read(path).unwrap().starts_with(&[0x1f, 0x8b]);
    let mut paths = fs::read_dir(blobs).unwrap().map(|entry| entry.unwrap().path());
    let path = paths.find(|path| gzipped(path)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}
