//! The sandbox gives what one process gives: inventories, and the words of failures.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use lazaret::digest::Digest;
use lazaret::exposure::IdentityKey;
use lazaret::image::Descriptor;
use lazaret::inventory::LayerInventory;
use lazaret::rules::{AddedRules, RuleSource, RulesObject};
use lazaret_worker::analyze::analyze;
use lazaret_worker::limits::Limits;
use lazaret_worker::ruleset::{Ruleset, SearchSettings};
use lazaret_worker::sandbox::{Failed, Options, Sandbox};

use crate::layers;

pub const TESTS: &[(&str, fn())] = &[
    ("golden_and_damaged_layers_are_the_same", golden_and_damaged_layers_are_the_same),
    ("misnamed_layers_fail_in_the_same_words", misnamed_layers_fail_in_the_same_words),
    ("limits_are_the_same_gaps", limits_are_the_same_gaps),
    ("threads_make_no_difference", threads_make_no_difference),
    ("layers_of_the_corpus_are_the_same", layers_of_the_corpus_are_the_same),
    ("added_rules_are_searched_with_in_children", added_rules_are_searched_with_in_children),
    ("a_source_that_fails_is_told_as_it_is", a_source_that_fails_is_told_as_it_is),
];

/// Asserts that both ways agree on `blob`; whether the layer is fine.
fn agree(sandbox: &Sandbox, limits: &Limits, blob: &[u8], named: &Descriptor, about: &str) -> bool {
    let alone = alone(blob, named, limits);
    let inside = match sandbox.analyse(&mut &blob[..], named) {
        Ok(analysed) => Ok(analysed.inventory),
        Err(Failed::Layer(words)) => Err(words),
        Err(other) => panic!("{about}: {other:?}"),
    };
    assert_eq!(inside, alone, "{about}");
    alone.is_ok()
}

fn golden_and_damaged_layers_are_the_same() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let golden = layers::golden();
    assert!(golden.len() > 30, "only {} golden cases", golden.len());
    let damaged = layers::damaged(&golden, 400);
    let mut fine = 0;
    for (index, blob) in golden.iter().chain(&damaged).enumerate() {
        fine += u32::from(agree(&sandbox, &Limits::default(), blob, &layers::named(blob), &format!("layer {index}")));
    }
    let all = (golden.len() + damaged.len()) as u32;
    assert!(fine > 50 && all - fine > 50, "{fine} of {all} are fine, which tests one side only");
}

fn misnamed_layers_fail_in_the_same_words() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let whole = layers::wrap(&layers::tar([("a", &[7; 100_000][..])]), 1);
    let no_tar = layers::wrap(&[0x55; 5000], 1);
    let cases = [whole.clone(), whole[..whole.len() / 2].to_vec(), no_tar, b"BZh91AY&SY".to_vec(), vec![]];
    for (index, blob) in cases.iter().enumerate() {
        let truly = layers::named(blob);
        let other_size = Descriptor { size: truly.size + 1, ..truly.clone() };
        let other_digest = Descriptor { digest: Digest::of(b"other"), ..truly.clone() };
        for named in [truly, other_size, other_digest] {
            agree(&sandbox, &Limits::default(), blob, &named, &format!("case {index} as {named:?}"));
        }
    }
}

fn limits_are_the_same_gaps() {
    let blob = layers::wrap(&layers::tar([("a", &[0; 3 << 20][..]), ("b", b"x"), ("c", b"y")]), 1);
    let default = Limits::default();
    for limits in [
        Limits { entries: 1, ..default },
        Limits { uncompressed_bytes: 1 << 20, ..default },
        Limits { ratio_from: 1 << 20, ratio: 2, ..default },
        Limits { compressed_bytes: 100, ..default },
    ] {
        let sandbox = Sandbox::start(Options { limits, ..Options::default() }).unwrap();
        let (named, other) = (layers::named(&blob), layers::named(b"other"));
        agree(&sandbox, &limits, &blob, &named, &format!("{limits:?}"));
        if limits.compressed_bytes == default.compressed_bytes {
            agree(&sandbox, &limits, &blob, &other, &format!("{limits:?}"));
        } else {
            // One process does not read on past this limit. The sandbox does: nothing is kept under another's digest.
            let misnamed = sandbox.analyse(&mut &blob[..], &other);
            assert!(matches!(misnamed, Err(Failed::Layer(_))), "{misnamed:?}");
        }
    }
}

fn threads_make_no_difference() {
    let sandbox = Sandbox::start(Options { threads: 4, threads_from: 0, ..Options::default() }).unwrap();
    for (index, blob) in layers::golden().iter().enumerate() {
        assert!(agree(&sandbox, &Limits::default(), blob, &layers::named(blob), &format!("golden {index}")));
    }
    // Enough claimed files for a batch, which several threads share.
    let manifests: Vec<_> = (0..9000)
        .map(|i| {
            (format!("n/node_modules/p{i}/package.json"), format!("{{\"name\":\"p{i}\",\"version\":\"1.{i}.0\"}}"))
        })
        .collect();
    let tar = layers::tar(manifests.iter().map(|(name, text)| (name.as_str(), text.as_bytes())));
    let blob = layers::wrap(&tar, 2);
    assert!(agree(&sandbox, &Limits::default(), &blob, &layers::named(&blob), "many files"));
}

/// What analysis in this process yields, as it would be kept.
fn alone(blob: impl BufRead, named: &Descriptor, limits: &Limits) -> Result<LayerInventory, String> {
    let mut inventory = analyze(blob, named, limits, Ruleset::built_in()).map_err(|error| error.to_string())?;
    inventory.seal(None);
    Ok(inventory)
}

fn layers_of_the_corpus_are_the_same() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let blobs = layers::corpus();
    let mut fine = 0;
    for path in &blobs {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        let size = path.metadata().unwrap().len();
        let named = Descriptor { media_type: String::new(), digest: format!("sha256:{name}").parse().unwrap(), size };
        let open = || BufReader::with_capacity(256 << 10, File::open(path).unwrap());
        let alone = alone(open(), &named, &Limits::default());
        let inside = sandbox.analyse(&mut open(), &named);
        let inside = inside.map(|analysed| analysed.inventory).map_err(|failed| failed.to_string());
        assert!(inside == alone, "{name}");
        fine += u32::from(alone.is_ok());
    }
    assert!(blobs.is_empty() || fine > 20, "only {fine} layers");
    eprintln!("{fine} layers of {} blobs of the corpus are the same", blobs.len());
}

/// A blob whose source breaks after a while.
struct Breaking<'b>(&'b [u8]);

impl Read for Breaking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Breaking<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0.is_empty() { Err(io::Error::other(Broken)) } else { Ok(self.0) }
    }

    fn consume(&mut self, amount: usize) {
        self.0 = &self.0[amount..];
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the line is dead")]
struct Broken;

fn a_source_that_fails_is_told_as_it_is() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let blob = layers::small();
    let Err(Failed::Source(error)) = sandbox.analyse(&mut Breaking(&blob[..50]), &layers::named(&blob)) else {
        panic!("no error of the source");
    };
    assert!(error.get_ref().is_some_and(|inner| inner.is::<Broken>()), "{error:?}");
}

fn added_rules_are_searched_with_in_children() {
    let settings = |pattern: &str| {
        let text = format!(
            "vendor = 'Example'\n[[rules]]\nid = 'example-token'\ntitle = 'token'\nseverity = 'high'\n\
             keywords = ['exmpl_']\npattern = '{pattern}'\nrotate = 'x'\n"
        );
        let secrets = vec![RuleSource { name: "mine.toml".into(), text }];
        let added = RulesObject::of(&AddedRules { secrets, ..AddedRules::default() }).unwrap();
        SearchSettings { added, key: Some(IdentityKey::of("a key of this test").unwrap()) }
    };
    let layer = layers::wrap(&layers::tar([("etc/x", &b"k = exmpl_0011\n"[..])]), 1);
    let found = |options: Options| {
        let analysed = Sandbox::start(options).unwrap().analyse(&mut &layer[..], &layers::named(&layer)).unwrap();
        analysed.inventory.exposures
    };
    assert!(found(Options::default()).is_empty());
    let found = found(Options { settings: settings("exmpl_[0-9a-f]{4}"), ..Options::default() });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule, "example-token");
    assert!(found[0].identity.fingerprint().is_some(), "{:?}", found[0].identity);
    let wrong = Sandbox::start(Options { settings: settings("exmpl_.*"), ..Options::default() });
    let error = wrong.expect_err("such a rule is refused").to_string();
    assert!(error.contains("mine.toml") && error.contains("example-token"), "{error}");
}
