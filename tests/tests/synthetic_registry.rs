//! The registry of the load test behaves like one: the project's own client and skopeo pull every image from it, and it
//! counts right.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use lazaret::digest::Digest;
use lazaret::door::source::registry::{Registry, RegistryImage, RegistryOptions as ClientOptions};
use lazaret::door::source::{ImageSource, PlatformChoice};
use lazaret_loadtest::fleet::{Fleet, FleetOptions};
use lazaret_loadtest::registry::{Faults, RegistryOptions, SyntheticRegistry, Throttle};
use lazaret_tests::support::has_program;
use lazaret_tests::support::http::{Answer, request};

fn fleet(images: u32) -> Arc<Fleet> {
    Arc::new(Fleet::new(FleetOptions { seed: 21, scale: 0.000_1, ..FleetOptions::of(images) }))
}

/// Pulls an image as a scan does; its digest and those of its layers.
fn pull(client: &Registry, runtime: &tokio::runtime::Runtime, reference: &str) -> (Digest, Vec<Digest>) {
    let source = RegistryImage::new(client.clone(), reference.parse().unwrap(), runtime.handle().clone());
    let images = source.images(&PlatformChoice::Exactly("linux/amd64".parse().unwrap())).unwrap();
    let layers = images[0].layers.iter().map(|layer| {
        let mut content = Vec::new();
        source.open_blob(&layer.blob).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(Digest::of(&content), layer.blob.digest);
        layer.blob.digest
    });
    (images[0].digest, layers.collect())
}

#[test]
fn every_image_is_pulled_and_every_request_counted() {
    let fleet = fleet(30);
    let registry = SyntheticRegistry::start(fleet.clone(), RegistryOptions::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Registry::new(ClientOptions::default());
    let mut gets: BTreeMap<Digest, u32> = BTreeMap::new();
    for (image, reference) in (0..).zip(registry.references()) {
        let (digest, layers) = pull(&client, &runtime, &reference);
        let files = fleet.files(image);
        assert_eq!(digest, files.manifest_digest);
        layers.into_iter().chain([files.config_digest]).for_each(|digest| *gets.entry(digest).or_default() += 1);
    }
    let counts = registry.counts();
    assert_eq!(counts.blob_gets, gets.values().map(|n| u64::from(*n)).sum::<u64>(), "{counts:?}");
    assert_eq!(counts.distinct_blobs, gets.len() as u64);
    assert_eq!(counts.most_gets_of_one_blob, *gets.values().max().unwrap());
    assert!(gets.iter().all(|(digest, count)| registry.blob_gets(digest) == *count));
    assert!(counts.manifest_gets >= 30 && counts.refused == 0 && counts.missing == 0, "{counts:?}");
    registry.reset_counts();
    assert_eq!(registry.counts(), Default::default());
}

#[test]
fn answers_are_those_of_the_specification() {
    let fleet = fleet(30);
    let registry = SyntheticRegistry::start(fleet.clone(), RegistryOptions::default()).unwrap();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| request(registry.address(), method, path, headers);
    let status = |path: &str| ask("GET", path, &[]).status;
    assert_eq!(status("/v2/"), 200);
    let (repository, tag) = fleet.name(4);
    let files = fleet.files(4);
    for name in [tag.clone(), files.manifest_digest.to_string()] {
        let path = format!("/v2/{repository}/manifests/{name}");
        for method in ["GET", "HEAD"] {
            let Answer { status, headers, body } = ask(method, &path, &[]);
            assert_eq!(status, 200);
            assert_eq!(headers["docker-content-digest"], files.manifest_digest.to_string());
            assert_eq!(headers["content-type"], "application/vnd.oci.image.manifest.v1+json");
            assert_eq!(headers["content-length"], files.manifest.len().to_string());
            assert_eq!(body, if method == "GET" { &files.manifest[..] } else { b"" });
        }
    }
    let layer = *fleet.layers(4).last().unwrap();
    let (facts, blob) = (fleet.facts(layer), fleet.blob(layer));
    let path = format!("/v2/{repository}/blobs/{}", facts.digest);
    let part = ask("GET", &path, &[("range", "bytes=100-299")]);
    assert_eq!((part.status, &part.body[..]), (206, &blob[100..300]));
    assert_eq!(part.headers["content-range"], format!("bytes 100-299/{}", blob.len()));
    let rest = ask("GET", &path, &[("range", &format!("bytes={}-", blob.len() - 7))]);
    assert_eq!((rest.status, &rest.body[..]), (206, &blob[blob.len() - 7..]));
    let beyond = ask("GET", &path, &[("range", &format!("bytes={}-", blob.len()))]);
    assert_eq!(
        (beyond.status, beyond.headers["content-range"].as_str()),
        (416, format!("bytes */{}", blob.len()).as_str())
    );
    assert_eq!(ask("HEAD", &path, &[]).headers["content-length"], blob.len().to_string());
    let nothing = Digest::of(b"nothing");
    for path in [
        format!("/v2/{repository}/manifests/none"),
        format!("/v2/{repository}/manifests/{nothing}"),
        format!("/v2/{repository}/blobs/{nothing}"),
        "/v2/no/such/tags/list".to_owned(),
        "/elsewhere".to_owned(),
    ] {
        assert_eq!(status(&path), 404, "{path}");
    }
    assert_eq!(ask("PUT", &path, &[]).status, 405);
    let counts = registry.counts();
    assert_eq!((counts.manifest_gets, counts.manifest_heads), (2, 2));
    assert_eq!((counts.blob_gets, counts.range_gets, counts.blob_heads, counts.missing), (2, 2, 1, 5));
    assert_eq!((counts.blob_bytes, registry.blob_gets(&facts.digest)), (207, 2));
}

#[test]
fn lists_come_in_pages() {
    let fleet = fleet(60);
    let registry = SyntheticRegistry::start(fleet.clone(), RegistryOptions::default()).unwrap();
    let all = |first: &str, key: &str| {
        let (mut path, mut found, mut pages) = (first.to_owned(), Vec::new(), 0);
        loop {
            let answer = request(registry.address(), "GET", &path, &[]);
            let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            found.extend(page[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
            pages += 1;
            let Some(link) = answer.headers.get("link") else { return (found, pages) };
            path = link.split(['<', '>']).nth(1).unwrap().to_owned();
        }
    };
    let expected: Vec<String> = fleet.repositories().map(str::to_owned).collect();
    assert_eq!(all("/v2/_catalog?n=3", "repositories"), (expected.clone(), 3));
    assert_eq!(all("/v2/_catalog", "repositories"), (expected, 1));
    let (repository, _) = fleet.name(0);
    let (tags, pages) = all(&format!("/v2/{repository}/tags/list?n=5"), "tags");
    let expected: HashSet<String> = fleet.images_of(&repository).map(|image| fleet.name(image).1).collect();
    assert_eq!((tags.len(), pages), (8, 2));
    assert_eq!(tags.into_iter().collect::<HashSet<_>>(), expected);
}

#[test]
fn what_fails_now_and_then_is_pulled_all_the_same() {
    let faults = Faults { seed: 3, internal_errors: 0.05, unavailable: 0.05, truncated: 0.1, reset: 0.05, slow: 0.01 };
    let registry =
        SyntheticRegistry::start(fleet(12), RegistryOptions { faults, ..RegistryOptions::default() }).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Registry::new(ClientOptions::default());
    registry.references().for_each(|reference| drop(pull(&client, &runtime, &reference)));
    let counts = registry.counts();
    assert!(counts.refused > 0 && counts.maimed > 0, "{counts:?}");
    let again = SyntheticRegistry::start(fleet(12), RegistryOptions { faults, ..RegistryOptions::default() }).unwrap();
    let statuses = |registry: &SyntheticRegistry| -> Vec<u16> {
        (0..40).map(|_| request(registry.address(), "HEAD", "/v2/other", &[]).status).collect()
    };
    assert_eq!(statuses(&again), statuses(&registry), "the same request fails at the same attempts");
}

#[test]
fn a_throttle_holds() {
    let fleet = fleet(4);
    let layer = fleet.layers(0)[0];
    let (facts, size) = (fleet.facts(layer), fleet.blob(layer).len());
    let throttle =
        Throttle { bytes_per_second: Some(size as u64 * 4), requests_per_second: Some(20), latency: Duration::ZERO };
    let registry =
        SyntheticRegistry::start(fleet.clone(), RegistryOptions { throttle, ..RegistryOptions::default() }).unwrap();
    let path = format!("/v2/{}/blobs/{}", fleet.name(0).0, facts.digest);
    let start = std::time::Instant::now();
    (0..4).for_each(|_| assert_eq!(request(registry.address(), "GET", &path, &[]).body.len(), size));
    assert!(start.elapsed() >= Duration::from_millis(950), "{:?}", start.elapsed());
    let answers: Vec<Answer> = (0..200).map(|_| request(registry.address(), "GET", "/v2/", &[])).collect();
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && refused.iter().all(|answer| answer.headers["retry-after"] == "1"));
    assert_eq!(registry.counts().refused, refused.len() as u64);
}

#[test]
fn a_layout_is_served_and_skopeo_copies_there_and_back() {
    if !has_program("skopeo") {
        return;
    }
    let fleet = fleet(3);
    let registry = SyntheticRegistry::start(fleet.clone(), RegistryOptions::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let copy = |registry: &SyntheticRegistry, image: usize, to: &str| {
        let from = format!("docker://{}", registry.reference(image).unwrap());
        let arguments = ["copy", "--quiet", "--src-tls-verify=false", "--preserve-digests", &from, to];
        let output = Command::new("skopeo").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let layout = directory.path().join("first");
    for (image, name) in ["family:1.0", "family:1.1", "alone"].into_iter().enumerate() {
        copy(&registry, image, &format!("oci:{}:{name}", layout.display()));
    }
    let served = SyntheticRegistry::from_layout(&layout, RegistryOptions::default()).unwrap();
    let references: HashSet<String> = served.references().collect();
    let named = ["family:1.0", "family:1.1", "alone:latest"].map(|name| format!("{}/{name}", served.address()));
    assert_eq!(references, HashSet::from(named));
    for image in 0..3 {
        copy(&served, image, &format!("oci:{}:{image}", directory.path().join("second").display()));
    }
    let distinct: HashSet<Digest> = (0..3)
        .flat_map(|image| {
            let layers = fleet.layers(image).into_iter().map(|layer| fleet.facts(layer).digest);
            layers.chain([fleet.files(image).config_digest]).collect::<Vec<_>>()
        })
        .collect();
    for registry in [&registry, &served] {
        assert_eq!(registry.counts().distinct_blobs, distinct.len() as u64);
    }
    let (first, second) = (layout.join("blobs/sha256"), directory.path().join("second/blobs/sha256"));
    for file in std::fs::read_dir(first).unwrap() {
        let name = file.unwrap().file_name();
        assert!(second.join(&name).is_file(), "{name:?}");
    }
    assert!(SyntheticRegistry::from_layout(directory.path(), RegistryOptions::default()).is_err());
}
