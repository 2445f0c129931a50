//! Gem specifications: golden cases, odd forms, hostile ones.

use lazaret::path::LayerPath;

use super::*;
use crate::extract::golden;

#[test]
fn golden_cases() {
    golden::check(&RUBY_GEM);
}

#[test]
fn claims_specifications_of_homes_and_checkouts() {
    for path in [
        "usr/lib/ruby/gems/3.1.0/specifications/rake-13.0.6.gemspec",
        "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec",
        "specifications/a-1.gemspec",
        "usr/local/bundle/bundler/gems/rails-3b8c5f0a2d1e/rails.gemspec",
        "usr/local/bundle/bundler/gems/rails-3b8c5f0a2d1e/activerecord/activerecord.gemspec",
        "bundler/gems/a-1/a.gemspec",
    ] {
        assert!(claims(path.as_bytes()), "{path}");
    }
    for path in [
        "",
        ".gemspec",
        "a.gemspec",
        "gems/rake-13.0.6/rake.gemspec",
        "other/default/json.gemspec",
        "specifications/.gemspec",
        "specifications/default/x/a.gemspec",
        "myspecifications/x.gemspec",
        "bundler/gems/a.gemspec",
        "xbundler/gems/a-1/a.gemspec",
        "bundler/gems/a-1/b/c/a.gemspec",
        "specifications/a-1.gemspecs",
    ] {
        assert!(!claims(path.as_bytes()), "{path}");
    }
}

fn read(content: &[u8]) -> Facts {
    let path = LayerPath::from("specifications/rake-13.0.6.gemspec");
    extract(&ClaimedFile { path: &path, content, companions: &[] })
}

const STUBBED: &str = "# -*- encoding: utf-8 -*-\n# stub: rake 13.0.6 ruby lib\n\nGem::Specification.new do |s|\n  \
                       s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze]\nend\n";

#[test]
fn a_truncation_is_a_gap_and_never_another_version() {
    let plain = STUBBED.replace("# stub: rake 13.0.6 ruby lib\n", "");
    for (whole, listed) in [(STUBBED, 1), (&plain, 0)] {
        for end in 0..whole.len() - 1 {
            let facts = read(&whole.as_bytes()[..end]);
            assert!(facts.packages.len() <= listed, "{end}");
            assert!(facts.packages.iter().all(|package| package.version == "13.0.6"), "{end}");
            assert_eq!(facts.gaps.len(), 1 - usize::from(whole[..end].ends_with("\nend")), "{end}");
        }
        assert_eq!((read(whole.as_bytes()).packages.len(), read(whole.as_bytes()).gaps), (1, Vec::new()));
    }
}

#[test]
fn other_encodings_and_huge_files_are_borne() {
    let utf16: Vec<u8> = STUBBED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!((read(&utf16).packages.len(), read(&utf16).gaps.len()), (0, 1));
    let crlf = STUBBED.replace('\n', "\r\n");
    assert_eq!(read(crlf.as_bytes()).packages.len(), 1);
    let bom = format!("\u{feff}{STUBBED}");
    assert_eq!(read(bom.as_bytes()).packages.len(), 1);
    let mut latin = STUBBED.as_bytes().to_vec();
    latin.splice(0..0, *b"# \xe9\n");
    assert_eq!(read(&latin).gaps.len(), 0, "the stub is on the third line, but the assignments are plain");
    for unit in ["[\"a\", ", "s.licenses = [\"a\"]\n", "s.name = \"", "\\", "\"", "%q{", "a."] {
        let huge = format!("{STUBBED}s.licenses = [{}", unit.repeat((1 << 20) / unit.len()));
        assert!(read(huge.as_bytes()).packages.len() <= 1, "{unit}");
    }
}
