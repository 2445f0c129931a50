//! What every extractor of a lockfile keeps to, tried on its golden cases.

use std::fs;
use std::path::Path;

use lazaret::inventory::Facts;
use lazaret::path::LayerPath;

use crate::extract::golden::{self, lines};
use crate::extract::{ClaimedFile, Content, EXTRACTORS, Extractor};

fn lockfiles() -> impl Iterator<Item = &'static Extractor> {
    EXTRACTORS.iter().copied().filter(|extractor| extractor.name.starts_with("lock-"))
}

struct Sample {
    extractor: &'static Extractor,
    path: LayerPath,
    content: Vec<u8>,
}

impl Sample {
    fn read(&self, content: &[u8]) -> Facts {
        (self.extractor.extract)(&ClaimedFile { path: &self.path, content, companions: &[] })
    }
}

/// The golden files of all lockfiles that are read.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for extractor in lockfiles().filter(|extractor| extractor.content != Content::NameOnly) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(extractor.name);
        for file in golden::files(&root).into_iter().filter(|file| !file.ends_with("expected.txt")) {
            let content = fs::read(&file).unwrap();
            let path = LayerPath::from(file.strip_prefix(&root).unwrap().to_str().unwrap());
            samples.push(Sample { extractor, path, content });
        }
    }
    samples
}

/// The packages' names and versions.
fn names(facts: &Facts) -> Vec<(&str, &str)> {
    facts.packages.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect()
}

#[test]
fn golden_cases() {
    lockfiles().for_each(golden::check);
}

#[test]
fn lockfiles_declare_and_install_nothing() {
    for sample in samples() {
        let facts = sample.read(&sample.content);
        assert!(facts.declared && facts.owned.is_empty(), "{}", sample.path);
        assert!(!facts.packages.is_empty() || !facts.gaps.is_empty(), "{}: a case that shows nothing", sample.path);
    }
}

#[test]
fn what_is_cut_off_never_yields_another_package() {
    /// People write these: their last line counts without its end too, and in a go.mod what is replaced stands first.
    const BY_HAND: &[&str] = &["lock-requirements", "lock-conanfile", "lock-go"];
    /// One value to its last byte: where that is missing, it shows.
    const CLOSED: &[&str] = &[
        "json",
        "bun.lock",
        "composer.lock",
        "Pipfile.lock",
        "renv.lock",
        "build.sbt.lock",
        "conan.lock",
        "Package.resolved",
        "deno.lock",
        "mix.lock",
        "pom.xml",
        "packages.config",
        "csproj",
        "Directory.Packages.props",
        "luarocks.lock",
    ];
    for sample in samples() {
        let whole = sample.read(&sample.content);
        let is_closed = CLOSED.iter().any(|name| sample.path.as_bytes().ends_with(name.as_bytes()));
        for end in 0..sample.content.trim_ascii_end().len() {
            let facts = sample.read(&sample.content[..end]);
            assert!(!is_closed || !facts.gaps.is_empty(), "{} at {end}: no gap", sample.path);
            if !BY_HAND.contains(&sample.extractor.name) {
                let (all, some) = (names(&whole), names(&facts));
                assert!(some.iter().all(|name| all.contains(name)), "{} at {end}: {some:?}", sample.path);
            }
        }
    }
}

#[test]
fn encodings_are_told_apart() {
    for sample in samples() {
        let whole = lines(&sample.read(&sample.content));
        let with_mark = [b"\xef\xbb\xbf", &sample.content[..]].concat();
        assert_eq!(lines(&sample.read(&with_mark)), whole, "{}: with a byte order mark", sample.path);
        let text = String::from_utf8(sample.content.clone()).unwrap();
        if !text.contains("\r\n") {
            assert_eq!(lines(&sample.read(text.replace('\n', "\r\n").as_bytes())), whole, "{}: CR LF", sample.path);
        }
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let broken = [&sample.content[..], b"\xff\n"].concat();
        let marked = [b"\xff\xfe", &utf16[..]].concat();
        // What PowerShell writes is read where that is what people write it with.
        let is_read = sample.extractor.name == "lock-requirements";
        if is_read {
            assert_eq!(lines(&sample.read(&marked)), whole, "{}: UTF-16", sample.path);
        }
        for content in [&utf16, &marked, &broken].into_iter().filter(|&content| !(is_read && *content == marked)) {
            let facts = sample.read(content);
            assert_eq!((facts.packages.len(), facts.gaps.len()), (0, 1), "{}", sample.path);
        }
    }
}

#[test]
fn hostile_depth_and_length_are_borne() {
    const LENGTH: usize = 1 << 15;
    for sample in samples() {
        let half = sample.content.len() / 2;
        for piece in [
            "[", "{", "{\"a\":", "<a>", "- ", "  ", "(", "\"", "\\", "a", "=", "a = [\n", "\n", "a:\n", ",", "#", "'",
            "?", "a@", "${",
        ] {
            let much = piece.repeat(LENGTH / piece.len());
            for content in
                [much.as_bytes(), &[&sample.content[..half], much.as_bytes(), &sample.content[half..]].concat()]
            {
                for gap in sample.read(content).gaps {
                    assert!(gap.reason.len() <= 200, "{}: {}", sample.path, gap.reason);
                }
            }
        }
    }
}

#[test]
fn damage_never_panics() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below.max(1) as u64) as usize
    };
    const BYTES: &[u8] = b"\"'{}[]()<>:,=@/\\-_#%&*!|?.\n\r\t\0 a1\xc3\xa9\xff";
    for sample in samples() {
        for _ in 0..200 {
            let mut content = sample.content.clone();
            for _ in 0..=next(4) {
                let at = next(content.len());
                match next(3) {
                    0 => drop(content.remove(at)),
                    1 => content.insert(at, BYTES[next(BYTES.len())]),
                    _ => content[at] = BYTES[next(BYTES.len())],
                }
            }
            let facts = sample.read(&content);
            assert!(facts.packages.is_sorted() && facts.declared);
        }
    }
}
