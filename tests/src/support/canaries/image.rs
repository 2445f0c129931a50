//! The image that the canaries are planted in: three layers, the last of which deletes and overwrites; a configuration with a
//! history of both forms; a manifest with annotations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::oci_fixture::{LAYER, MANIFEST, OciFixture, digest};
use super::archive::{file, gzip, tar};
use super::{Canary, Form, Place};

/// What the last layer has: whiteouts of files of the first, and another file where one was.
const LAST: [(&str, &str); 4] = [
    ("root/.aws/.wh.credentials", ""),
    ("root/.docker/.wh..wh..opq", ""),
    ("root/.wh..ssh", ""),
    ("app/.env", "MODE=production\n"),
];

pub(super) fn layout(canaries: &[Canary], architecture: &str) -> OciFixture {
    let mut fixture = OciFixture::default();
    let mut layers = vec![Vec::new(), Vec::new()];
    for canary in canaries {
        match canary.place {
            Place::File(layer, path, form) => layers[layer].push((path.to_owned(), file(&canary.text, form))),
            Place::Malformed(path) => layers[1].push((path.to_owned(), file(&canary.text, Form::Plain))),
            _ => {}
        }
    }
    // What makes the file beside it one of an installed package.
    let metadata =
        ("usr/lib/python3/dist-packages/b-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: b\nVersion: 1.0\n");
    layers[1].push((metadata.0.to_owned(), metadata.1.into()));
    layers.push(LAST.map(|(path, text)| (path.to_owned(), text.into())).to_vec());

    let tars: Vec<Vec<u8>> = layers.iter().map(|files| tar(files)).collect();
    let diff_ids: Vec<String> = tars.iter().map(|tar| digest(tar)).collect();
    let blobs: Vec<Value> = tars.iter().map(|tar| fixture.blob(&format!("{LAYER}+gzip"), gzip(tar))).collect();
    let texts =
        |place: Place| canaries.iter().filter(move |canary| canary.place == place).map(|canary| canary.text.clone());
    let numbered = |place: Place| -> BTreeMap<String, String> {
        texts(place).enumerate().map(|(number, text)| (format!("org.example.note-{number}"), text)).collect()
    };
    let mut history: Vec<Value> =
        texts(Place::History).map(|text| json!({"created_by": text, "empty_layer": true})).collect();
    history.extend((0..layers.len()).map(|layer| json!({"created_by": format!("COPY part-{layer} /")})));
    let config = json!({
        "architecture": architecture, "os": "linux", "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "config": {
            "Env": texts(Place::Env).collect::<Vec<_>>(), "Cmd": texts(Place::Cmd).collect::<Vec<_>>(),
            "Entrypoint": texts(Place::Entrypoint).collect::<Vec<_>>(), "Labels": numbered(Place::Label),
        },
    });
    let config = fixture.blob("application/vnd.oci.image.config.v1+json", config.to_string().into_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": blobs, "annotations": numbered(Place::Annotation),
    });
    let mut descriptor = fixture.blob(MANIFEST, manifest.to_string().into_bytes());
    descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
    fixture.tag("1", &descriptor);
    fixture
}
