//! An inventory is the same bytes however many threads made it, and what was written once still reads.

use std::path::Path;

use lazaret::inventory::LayerInventory;
use lazaret::record::{Cost, LayerRecord};
use lazaret::wire::{Kind, open, seal};
use lazaret_tests::stack::{Entry, Stack, generate};
use lazaret_worker::extract::EXTRACTORS;
use rayon::ThreadPoolBuilder;

use super::judge::{composed, inventories, inventory};

const KEY: &str = "golden";

/// Many files of every kind, so that all threads have something to do.
fn broad_layer() -> Vec<Entry> {
    let mut entries = Vec::new();
    for number in 0..300 {
        entries.push(Entry::file(format!("app/node_modules/n{number}/package.json"), format!("npm n{number}=1")));
        entries
            .push(Entry::file(format!("usr/lib/python3/p{number}.dist-info/METADATA"), format!("python p{number}=2")));
        entries.push(Entry::file(format!("var/lib/dpkg/info/d{number}.list"), "owns app/node_modules/n1/package.json"));
        entries.push(Entry::file(format!("opt/{number}/.wh.gone"), ""));
    }
    entries.push(Entry::file("var/lib/dpkg/status", "deb libc6=1 curl=2"));
    entries
}

fn sealed(inventory: &LayerInventory) -> Vec<u8> {
    seal(Kind::LayerRecord, KEY, &LayerRecord { inventory: inventory.clone(), cost: Cost::default() })
        .expect("small enough")
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let layers: Vec<Vec<Entry>> =
        (0..100).flat_map(|seed| generate::stack(seed).layers).chain([broad_layer()]).collect();
    let with = |threads: usize| -> Vec<Vec<u8>> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| layers.iter().map(|layer| sealed(&inventory(layer))).collect())
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(8));
}

#[test]
fn the_order_of_independent_files_does_not_matter() {
    let forward = inventory(&broad_layer());
    let mut entries = broad_layer();
    entries.reverse();
    let backward = inventory(&entries);
    assert_eq!((forward.evidence, forward.hides), (backward.evidence, backward.hides));
}

#[test]
fn what_is_sealed_opens_as_it_was() {
    for seed in 0..200 {
        for inventory in inventories(&generate::stack(seed)) {
            let sealed = sealed(&inventory);
            assert_eq!(
                open(Kind::LayerRecord, KEY, &sealed).map(|record: LayerRecord| record.inventory),
                Ok(inventory)
            );
        }
    }
}

#[test]
fn composing_twice_gives_the_same() {
    for seed in 0..200 {
        let inventories = inventories(&generate::stack(seed));
        assert_eq!(composed(&inventories), composed(&inventories));
    }
}

/// The layers of the golden inventories: every kind of evidence, hide and gap that the text form can make.
const GOLDEN: &str = "
    layer 0  lib/apk/db/installed: apk busybox=1.36 @app/a.jar
    layer 0  var/lib/dpkg/status: deb libc6=2.36 curl=8
    layer 0  var/lib/dpkg/info/libc6.list: owns app/a.jar
    layer 0  usr/lib/os-release: os debian=12
    layer 0  etc/os-release -> ../usr/lib/os-release
    layer 0  app/a.jar: jar
    layer 0  app/node_modules/x/package.json: not json
    layer 1  .wh.app:
    layer 1  opt/.wh..wh..opq:
    layer 1  usr/lib/python3/x.dist-info/METADATA: python x=1
    layer 1  usr/lib/apk/db/installed => lib/apk/db/installed
    layer 1  srv/
    layer 1  bin/sh!: program
    layer 1  lib64 -> usr/lib
";

/// A new version of the form has samples of its own: what an older build wrote is not found under the new fingerprint.
#[test]
fn an_old_sample_still_reads() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (index, inventory) in inventories(&Stack::parse(GOLDEN)).into_iter().enumerate() {
        let path = directory.join(format!("layer-record-v{}-{index}.lzrt", Kind::LayerRecord.version()));
        if std::env::var_os("LAZARET_BLESS").is_some() && !path.exists() {
            std::fs::create_dir_all(&directory).expect("a directory");
            std::fs::write(&path, sealed(&inventory)).expect("a sample");
        }
        let sample = std::fs::read(&path).expect("the committed sample; LAZARET_BLESS=1 writes a missing one");
        let LayerRecord { inventory: old, .. } = open(Kind::LayerRecord, KEY, &sample).expect("an old sample reads");
        // What extractors yield may change with their versions; where the files are, and what they hide, does not.
        assert_eq!(old.hides, inventory.hides, "{}", path.display());
        let paths =
            |inventory: &LayerInventory| -> Vec<_> { inventory.evidence.iter().map(|e| e.path.clone()).collect() };
        assert_eq!(paths(&old), paths(&inventory), "{}", path.display());
        assert!(
            old.evidence
                .iter()
                .all(|e| e.extractor == "executable" || EXTRACTORS.iter().any(|x| x.name == e.extractor))
        );
    }
}
