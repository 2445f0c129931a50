//! Archives as Yarn writes them, and broken ones.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::extract::golden;

/// An archive of these entries, deflated where it says so.
fn archive(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content, deflated) in entries {
        let packed = if *deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.to_vec()
        };
        let mut common = vec![20, 0, 0, 0, if *deflated { 8 } else { 0 }, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let offset = (bytes.len() as u32).to_le_bytes();
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), &packed].concat());
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &[0; 10], &offset, name.as_bytes()].concat());
    }
    let start = (bytes.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend([&directory, &b"PK\x05\x06\x00\x00\x00\x00"[..], &count, &count, &size, &start, &[0, 0]].concat());
    bytes
}

fn read(path: &str, content: &[u8]) -> Facts {
    extract(&ClaimedFile { path: &path.into(), content, companions: &[] })
}

const LODASH: &str = "app/.yarn/cache/lodash-npm-4.17.21-6382451519-10c0.zip";

#[test]
fn golden_cases() {
    golden::check(&YARN_CACHE);
}

#[test]
fn claims_archives_of_a_cache() {
    for path in [LODASH, "root/.yarn/berry/cache/@babel-core-npm-7.0.0-0a1b2c3d4e-10c0.zip", ".yarn/cache/a.zip"] {
        assert!((YARN_CACHE.claims)(path.as_bytes()), "{path}");
    }
    for path in
        ["app/cache/a.zip", "app/.yarn/cache/a/b.zip", "app/berry/cache/a.zip", ".yarn/cache/a.zip.tmp", "cache/a.zip"]
    {
        assert!(!(YARN_CACHE.claims)(path.as_bytes()), "{path}");
    }
}

#[test]
fn the_manifest_says_what_the_name_cannot() {
    let manifest = br#"{"name":"@typescript-eslint/parser","version":"6.0.0","license":"BSD-2-Clause"}"#;
    for deflated in [false, true] {
        let content = archive(&[
            ("node_modules/", b"", false),
            ("node_modules/@typescript-eslint/parser/dist/package.json", b"{}", deflated),
            ("node_modules/@typescript-eslint/parser/package.json", manifest, deflated),
        ]);
        let path = "a/.yarn/cache/@typescript-eslint-parser-npm-6.0.0-0123456789-abcdef.zip";
        assert_eq!(golden::lines(&read(path, &content)), "  npm @typescript-eslint/parser 6.0.0 (BSD-2-Clause)\n");
    }
}

#[test]
fn the_name_says_where_it_came_from() {
    let content = archive(&[("node_modules/a/package.json", br#"{"name":"a","version":"1.0.0"}"#, false)]);
    for (name, registry) in [
        ("a-npm-1.0.0-0123456789-abc", None),
        ("a-patch-0123456789-abc", None),
        ("a-https-0123456789-abc", None),
        ("a-file-0123456789-abc", Some("local")),
        ("a-exotic-0123456789-abc", Some("git")),
    ] {
        let facts = read(&format!(".yarn/cache/{name}.zip"), &content);
        assert_eq!(facts.packages[0].registry.as_deref(), registry, "{name}");
    }
}

#[test]
fn what_a_package_bundles_is_told_too() {
    let content = archive(&[
        ("node_modules/a/node_modules/@s/b/package.json", br#"{"name":"@s/b","version":"2.0.0"}"#, true),
        ("node_modules/a/package.json", br#"{"name":"a","version":"1.0.0"}"#, true),
        ("node_modules/a/node_modules/c/package.json", b"{", true),
    ]);
    let expected = "  npm @s/b 2.0.0 in node_modules/a/node_modules/@s/b/package.json\n  npm a 1.0.0 from git\n  gap Malformed: package.json: EOF while parsing an object at line 1 column 1\n";
    assert_eq!(golden::lines(&read(".yarn/cache/a-exotic-0123456789-abc.zip", &content)), expected);
    let bundled = ("node_modules/a/node_modules/b/package.json", &br#"{"name":"b","version":"2.0.0"}"#[..], true);
    let facts = read(LODASH, &archive(&[bundled]));
    assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
    let facts = read(LODASH, &archive(&vec![bundled; MAX_MANIFESTS]));
    assert!(facts.packages.len() == 1 && facts.gaps.iter().any(|gap| gap.kind == GapKind::Limit));
}

#[test]
fn whatever_is_broken_is_a_gap() {
    let whole = archive(&[("node_modules/a/package.json", br#"{"name":"a","version":"1.0.0"}"#, true)]);
    for end in 0..whole.len() {
        let facts = read(LODASH, &whole[..end]);
        // Cut in its last field, the length of a comment that is not read, it is still whole.
        let expected = if end + 2 >= whole.len() { (1, 0) } else { (0, 1) };
        assert_eq!((facts.packages.len(), facts.gaps.len()), expected, "{end}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        let facts = read(LODASH, &changed);
        assert!(facts.packages.len() + facts.gaps.len() <= 1, "{at}");
    }
    let empty = archive(&[("node_modules/", b"", false)]);
    assert_eq!(read(LODASH, &empty).gaps.len(), 1);
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = archive(&[("node_modules/a/package.json", &vec![b' '; MAX_MANIFEST + 2], true)]);
    assert_eq!(read(LODASH, &bomb).gaps[0].kind, GapKind::Limit);
}
