//! Every image of the corpus, through the whole pipeline: packages equal to the distribution's own list, layer by layer.

#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lazaret::door::source::PlatformChoice;
use lazaret::door::store::{MemoryStore, SharedStore};
use lazaret::image::Image;
use lazaret_coordinator::pipeline::Inventoried;
use serde_json::Value;

mod embedded;
#[path = "corpus/secrets.rs"]
mod secrets;

/// Ecosystem, name, version, introducing layer.
type Row = (String, String, String, u64);

fn corpus() -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return None;
    };
    let corpus = PathBuf::from(corpus);
    assert!(corpus.is_dir(), "LAZARET_CORPUS is set, but {} is no directory", corpus.display());
    Some(corpus)
}

fn inventory(corpus: &Path, tag: &str) -> (Image, Inventoried) {
    let reference = format!("oci:{}:{tag}", corpus.join("images").display());
    let store = Arc::new(MemoryStore::default());
    let (mut images, _) = embedded::scan(&reference, PlatformChoice::All, store, Vec::new());
    assert_eq!(images.len(), 1, "{tag}");
    images.remove(0)
}

fn expected(truth: &Value) -> BTreeSet<Row> {
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let layer = |package: &Value| package["layer"].as_u64().unwrap_or_default();
    let mut rows = BTreeSet::new();
    for (kind, packages) in truth["packages"].as_object().unwrap() {
        match kind.as_str() {
            "apk" | "dpkg" | "rpm" => {
                for package in packages.as_array().unwrap() {
                    let version = match kind.as_str() {
                        "rpm" => {
                            let epoch = package["epoch"].as_str().map(|epoch| format!("{epoch}:")).unwrap_or_default();
                            format!("{epoch}{}-{}", text(package, "version"), text(package, "release"))
                        }
                        _ => text(package, "version"),
                    };
                    let ecosystem = if kind == "dpkg" { "deb" } else { kind };
                    rows.insert((ecosystem.to_owned(), text(package, "name"), version, layer(package)));
                }
            }
            "cargo_auditable" => {
                // The truth does not say in which layer the executables are; the image's note does: the last but one.
                for package in packages.as_object().unwrap().values().flat_map(|list| list.as_array().unwrap()) {
                    rows.insert(("cargo".to_owned(), text(package, "name"), text(package, "version"), 2));
                }
            }
            other => panic!("the truth has a kind of packages that this test does not know: {other}"),
        }
    }
    rows
}

fn found(inventoried: &Inventoried) -> BTreeSet<Row> {
    let packages = &inventoried.inventory.contents.packages;
    let row = |installed: &lazaret_coordinator::compose::InstalledPackage| {
        let package = &installed.package;
        (package.ecosystem.name().to_owned(), package.name.clone(), package.version.clone(), u64::from(installed.layer))
    };
    let rows: BTreeSet<Row> = packages.iter().map(row).collect();
    assert_eq!(rows.len(), packages.len(), "a package twice");
    rows
}

/// What the truth, which is the package database's, cannot know: in this image that one is hidden, and the programs that it
/// told of are still there.
const BESIDE_THE_TRUTH: &[(&str, &str, &str)] = &[
    ("whiteout-db", "busybox", "1.36.1"),
    ("whiteout-db", "musl", "1.2.4"),
    ("whiteout-db", "openssl", "3.1.7"),
    ("whiteout-db", "zlib", "1.2.13"),
];

#[test]
fn packages_equal_the_truth() {
    let Some(corpus) = corpus() else { return };
    let mut images = 0;
    let mut files: Vec<_> = fs::read_dir(corpus.join("truth")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for path in files {
        let truth: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let tag = truth["image"].as_str().unwrap();
        let (_, inventoried) = inventory(&corpus, tag);
        assert_eq!(inventoried.failed, [], "{tag}");
        let (found, expected) = (found(&inventoried), expected(&truth));
        let both = found.intersection(&expected).count() as f64;
        // Not by a macro, whose words nobody sees of a test that passes.
        let _ = writeln!(
            io::stderr(),
            "{tag}: {} packages, precision {:.3}, recall {:.3}",
            found.len(),
            both / found.len() as f64,
            both / expected.len() as f64
        );
        let missing: Vec<_> = expected.difference(&found).collect();
        let beside = |row: &&Row| !BESIDE_THE_TRUTH.contains(&(tag, row.1.as_str(), row.2.as_str()));
        let extra: Vec<_> = found.difference(&expected).filter(beside).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{tag}: missing {missing:?}, extra {extra:?}");
        let os = truth["os"]["id"].as_str();
        let distro = inventoried.inventory.contents.distro.as_ref().map(|distro| distro.id.as_str());
        assert_eq!(distro, os.map(|id| if id == "rhel8" { "rhel" } else { id }), "{tag}");
        images += 1;
    }
    assert!(images >= 20, "only {images} images");
}

#[test]
fn one_content_in_six_wrappings_is_one_inventory() {
    let Some(corpus) = corpus() else { return };
    let tags = ["docker", "gzip", "gzip-multimember", "estargz", "zstd", "zstd-multiframe"];
    let contents: Vec<_> =
        tags.iter().map(|tag| inventory(&corpus, &format!("variant-{tag}")).1.inventory.contents).collect();
    for (tag, content) in tags.iter().zip(&contents) {
        assert_eq!(content.packages, contents[0].packages, "{tag}");
        assert_eq!(content.gaps, [], "{tag}");
    }
}

#[test]
fn a_recalled_inventory_is_the_same() {
    let Some(corpus) = corpus() else { return };
    let reference = format!("oci:{}:debian-bookworm", corpus.join("images").display());
    let store: SharedStore = Arc::new(MemoryStore::default());
    let scan = || embedded::scan(&reference, PlatformChoice::Host, Arc::clone(&store), Vec::new());
    let (first, _) = scan();
    let (second, progress) = scan();
    assert_eq!(first[0].1.inventory, second[0].1.inventory);
    assert_eq!(progress.layers.load(Ordering::Relaxed), 0, "nothing was planned");
}
