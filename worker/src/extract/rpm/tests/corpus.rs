//! Real databases, against what rpm itself says is in them. Needs the corpus; see `LAZARET_CORPUS`.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

/// `None`, loudly, where there is no corpus.
#[allow(clippy::print_stderr)]
fn corpus() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("LAZARET_CORPUS") else {
        eprintln!("SKIPPED: LAZARET_CORPUS is not set");
        return None;
    };
    let path = PathBuf::from(path);
    assert!(path.is_dir(), "LAZARET_CORPUS is {}, which is no directory", path.display());
    Some(path)
}

/// The rpm database of the topmost layer that has one: its path and bytes.
fn database(corpus: &std::path::Path, image: &str) -> (String, Vec<u8>) {
    let blob = |digest: &Value| {
        let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
        std::fs::read(corpus.join("images/blobs/sha256").join(hex)).unwrap()
    };
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let index = json(&std::fs::read(corpus.join("images/index.json")).unwrap());
    let name = "org.opencontainers.image.ref.name";
    let tagged = index["manifests"].as_array().unwrap().iter();
    let manifest = tagged.into_iter().find(|m| m["annotations"][name].as_str().is_some_and(|n| n.ends_with(image)));
    let manifest = json(&blob(&manifest.unwrap()["digest"]));
    for layer in manifest["layers"].as_array().unwrap().iter().rev() {
        let mut tar = Vec::new();
        flate2::read::MultiGzDecoder::new(&blob(&layer["digest"])[..]).read_to_end(&mut tar).unwrap();
        let mut at = 0;
        while let Some(head) = tar.get(at..at + 512).filter(|head| head[0] != 0) {
            let text =
                |field: &[u8]| String::from_utf8(field.iter().copied().take_while(|&b| b != 0).collect()).unwrap();
            let size = usize::from_str_radix(text(&head[124..136]).trim(), 8).unwrap();
            let path = text(&head[..100]).trim_start_matches("./").to_owned();
            if [&SQLITE, &NDB, &BERKELEY_DB].iter().any(|extractor| (extractor.claims)(path.as_bytes())) {
                return (path, tar[at + 512..at + 512 + size].to_vec());
            }
            at += 512 + size.next_multiple_of(512);
        }
    }
    panic!("{image} has no rpm database");
}

/// One line of the truth about a package, and the same of what we found.
fn lines(truth: &Value) -> Vec<String> {
    let packages = truth["packages"]["rpm"].as_array().unwrap().iter();
    let mut lines: Vec<_> = packages
        .map(|p| {
            let text = |key: &str| p[key].as_str().unwrap_or("-").to_owned();
            let epoch = p["epoch"].as_str().map(str::to_owned).or_else(|| p["epoch"].as_u64().map(|e| e.to_string()));
            let epoch = epoch.map_or_else(String::new, |epoch| format!("{epoch}:"));
            let (name, version, release) = (text("name"), text("version"), text("release"));
            let rest = ["arch", "license", "modularity", "vendor"].map(text).join(" ");
            format!("{name} {epoch}{version}-{release} {} {rest}", text("source_rpm"))
        })
        .collect();
    lines.sort();
    lines
}

fn found_lines(facts: &Facts) -> Vec<String> {
    let mut lines: Vec<_> = facts
        .packages
        .iter()
        .map(|p| {
            let without_epoch = |version: &str| version.rsplit(':').next().unwrap().to_owned();
            let (name, version) = p.source.as_ref().map_or((&p.name, &p.version), |s| (&s.name, &s.version));
            // A public key was built from nothing.
            let is_key = p.name == "gpg-pubkey";
            let source = if is_key { "-".into() } else { format!("{name}-{}.src.rpm", without_epoch(version)) };
            let rest =
                [&p.arch, &p.licence, &p.module, &p.vendor].map(|field| field.as_deref().unwrap_or("-")).join(" ");
            format!("{} {} {source} {rest}", p.name, p.version)
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn real_databases() {
    let Some(corpus) = corpus() else { return };
    for (image, count) in [
        ("almalinux-9-arm64", 23),
        ("almalinux-9-rpm-layers", 26),
        ("mariner-2-rpmdb", 129),
        ("rhel-8-bdb-small", 1),
        ("sles-15.3-rpmdb-a", 35),
    ] {
        let (path, bytes) = database(&corpus, image);
        let extractor = [&SQLITE, &NDB, &BERKELEY_DB].into_iter().find(|e| (e.claims)(path.as_bytes())).unwrap();
        let facts = run(extractor, &path, &bytes, Some(&[]));
        let truth = std::fs::read(corpus.join(format!("truth/{image}.json"))).unwrap();
        let truth: Value = serde_json::from_slice(&truth).unwrap();
        assert_eq!(found_lines(&facts), lines(&truth), "{image}");
        assert_eq!((facts.packages.len(), facts.gaps.len()), (count, 0), "{image} {:?}", facts.gaps);
    }
}

#[test]
fn real_files() {
    let Some(corpus) = corpus() else { return };
    let read = |name: &str| std::fs::read(corpus.join("rpmdb").join(name)).unwrap();
    let alma8 = bdb_facts(&read("almalinux-8-Packages"));
    let alma9 = sqlite_facts(&read("almalinux-9-rpmdb.sqlite"), None);
    let sles = ndb_facts(&read("sles-15.3-Packages.db"));
    for (facts, count) in [(&alma8, 20), (&alma9, 23), (&sles, 35)] {
        assert_eq!((facts.packages.len(), &facts.gaps[..]), (count, &[][..]));
    }
    // The release file belongs to the release package.
    let owner = |facts: &Facts, path: &str| {
        let owned = facts.owned.iter().find(|(owned, _)| *owned == LayerPath::from(path));
        owned.map(|&(_, index)| facts.packages[index as usize].name.clone())
    };
    assert_eq!(owner(&alma9, "usr/lib/os-release").as_deref(), Some("almalinux-release"));
    assert_eq!(owner(&alma8, "usr/lib/os-release").as_deref(), Some("almalinux-release"));
}
