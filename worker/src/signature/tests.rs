//! Rules against their own examples and counter-examples, and the search against any cut of the stream.

use lazaret::inventory::Facts;
use lazaret::package::Package;
use proptest::prelude::*;
use regex_syntax::ParserBuilder;

use super::rules::{GROUPS, Rule};
use super::search::{LONGEST_MATCH, compile};
use super::*;
use crate::extract::{ClaimedFile, claim};

fn all() -> impl Iterator<Item = &'static Rule> {
    GROUPS.iter().copied().flatten()
}

/// A name that the rule knows, as a file that has `version` would have it.
fn file_name(rule: &Rule, version: &str) -> String {
    let components: Vec<&str> = version.split('.').take(2).collect();
    rule.files[0].replace('*', &components.join("."))
}

/// What a file of this name and content is, read in chunks of `chunk` bytes.
fn found(name: &str, content: &[u8], chunk: usize) -> Vec<Package> {
    let mut signatures = Signatures::default();
    signatures.begin(&LayerPath::from(format!("opt/bin/{name}").as_str()));
    content.chunks(chunk).for_each(|chunk| signatures.feed(chunk));
    signatures.finish()
}

fn labels(packages: &[Package]) -> Vec<String> {
    packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect()
}

#[test]
fn every_rule_finds_its_examples() {
    for rule in all() {
        assert!(!rule.examples.is_empty() && !rule.others.is_empty(), "{}", rule.name);
        for (content, version) in rule.examples {
            let name = file_name(rule, version);
            assert!(is_known(format!("usr/bin/{name}").as_bytes()), "{name}");
            for chunk in [1, 7, 4096] {
                // Of rules that share a name only the one whose example it is may answer.
                let expected = [format!("{}@{version}", rule.name)];
                assert_eq!(labels(&found(&name, content, chunk)), expected, "{name} {}", content.escape_ascii());
            }
        }
    }
}

#[test]
fn no_rule_takes_its_counter_examples() {
    for rule in all() {
        let expression = compile(rule).unwrap();
        for content in rule.others {
            assert!(!expression.is_match(content), "{} {}", rule.name, content.escape_ascii());
        }
    }
}

#[test]
fn every_name_of_a_rule_leads_to_it() {
    for rule in all() {
        for file in rule.files {
            let Some(stem) = file.strip_suffix('*') else {
                assert!(is_known(file.as_bytes()), "{} {file}", rule.name);
                continue;
            };
            let shared: &[&str] = if stem.starts_with("lib") { &[".so.1.2", "2.so", "-2.Q16.so"] } else { &[] };
            for version in ["", "3", "3.11", "-12"].iter().chain(shared) {
                let name = format!("{stem}{version}");
                let known = names().knowing(name.as_bytes()).any(|index| std::ptr::eq(names().rules[index], rule));
                assert!(known, "{} {name}", rule.name);
            }
        }
    }
}

#[test]
fn expressions_are_what_the_search_relies_on() {
    for rule in all() {
        for expression in rule.version {
            let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(expression).unwrap();
            let properties = parsed.properties();
            let longest = properties.maximum_len().expect(rule.name);
            assert!(longest < LONGEST_MATCH, "{}: up to {longest} bytes", rule.name);
            assert!(properties.minimum_len() >= Some(6), "{}: too little to tell by", rule.name);
            assert!(properties.look_set().is_empty(), "{}: looks beyond its match", rule.name);
            let is_named = expression.contains("?<named>");
            assert!(!is_named || expression.starts_with(r"\x00(?<named>") && rule.version.len() == 1, "{}", rule.name);
            let versions = properties.explicit_captures_len() - usize::from(expression.contains("?<update>"));
            assert_eq!(versions, 1, "{}: one version", rule.name);
        }
    }
}

#[test]
fn names_are_those_of_package_urls_and_cpes() {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    for rule in all() {
        assert!(plain(rule.name) && plain(rule.cpe.0) && plain(rule.cpe.1), "{} {:?}", rule.name, rule.cpe);
    }
    assert!(all().count() > 140, "rules are gone");
}

#[test]
fn a_package_names_its_version_for_both() {
    let packages = found("sshd", b"\0OpenSSH_9.2p1 Debian-2\0", 5);
    assert_eq!(labels(&packages), ["openssh@9.2p1"]);
    assert_eq!(packages[0].cpe.as_deref(), Some("cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*"));
    let packages = found("nginx", b"nginx version: nginx/1.22.1\n\0", 5);
    assert_eq!(packages[0].cpe.as_deref(), Some("cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*"));
}

#[test]
fn the_first_match_in_the_file_counts() {
    assert_eq!(labels(&found("memcached", b"\0memcached 1.6.18\0memcached 1.5.1\0", 8)), ["memcached@1.6.18"]);
}

#[test]
fn the_name_says_which_number_is_meant() {
    let content = b"\x003.40.1\x003.2.0\x003.11.2\0";
    for (name, expected) in
        [("python3.11", &["python@3.11.2"][..]), ("libpython3.2.so.1.0", &["python@3.2.0"]), ("python3.1", &[])]
    {
        assert_eq!(labels(&found(name, content, 3)), expected, "{name}");
    }
}

#[test]
fn a_file_full_of_what_its_name_contradicts_is_given_up() {
    for (name, others) in [("python3.11", b"\x003.11.x"), ("python3", b"\x003.11.x")] {
        let content = [others.repeat(1 << 16), b"\x003.11.2\0".to_vec()].concat();
        assert_eq!(labels(&found(name, &content, 1 << 16)), [""; 0], "{name}");
    }
}

#[test]
fn other_names_are_not_searched() {
    for name in ["redis", "my-redis-server", "redis-server.bak", "xredis-server"] {
        assert_eq!(found(name, b"\x007.0.15\0c11-builtin\0", 4096), [], "{name}");
    }
}

#[test]
fn cut_short_it_yields_nothing_or_a_part_of_the_truth() {
    for rule in all() {
        for (content, version) in rule.examples {
            for end in 0..content.len() {
                let packages = found(&file_name(rule, version), &content[..end], 16);
                // Where a text needs no end, a file that ends inside of it (none does: its layer would be broken) may
                // yield the start of a version.
                let part = |package: &Package| version.starts_with(&package.version);
                assert!(packages.iter().all(part), "{} {}", rule.name, content[..end].escape_ascii());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_window_ends_anywhere(before in WINDOW - 600..WINDOW + 40, chunk in 1000usize..500_000, behind in 0usize..WINDOW) {
        let text = b"\0OpenSSL 3.0.22 25 Aug 2026\0";
        let content = [&vec![b'3'; before][..], text, &vec![b'2'; behind], text].concat();
        prop_assert_eq!(labels(&found("libcrypto.so.3", &content, chunk)), ["openssl@3.0.22"]);
    }

    #[test]
    fn any_bytes_under_any_name(content in proptest::collection::vec(any::<u8>(), 0..2000), rule in 0usize..140) {
        let rule = names().rules[rule];
        found(&file_name(rule, "3.11"), &content, 64);
    }
}

fn owned(path: &str, content: &str) -> Vec<String> {
    let extractor = claim(path.as_bytes()).expect(path);
    let facts: Facts =
        (extractor.extract)(&ClaimedFile { path: &path.into(), content: content.as_bytes(), companions: &[] });
    facts.owned.iter().map(|(path, _)| path.to_string()).collect()
}

#[test]
fn lists_of_files_keep_what_is_known_by_its_name() {
    let list = "/.\n/usr\n/usr/bin\n/usr/bin/git\n/usr/bin/git-lfs-x\n/usr/share/doc/git\n/usr/lib/x/libssl.so.3\n";
    assert_eq!(owned("var/lib/dpkg/info/git.list", list), ["usr/bin/git"]);
    let list = "d41d8cd98f00b204e9800998ecf8427e  usr/lib/x86_64-linux-gnu/libcrypto.so.3\n";
    assert_eq!(owned("var/lib/dpkg/status.d/libssl3.md5sums", list), ["usr/lib/x86_64-linux-gnu/libcrypto.so.3"]);
    let record = "P:busybox\nV:1.36.1-r7\nF:bin\nR:busybox\nR:busybox-extras\nF:etc\nR:securetty\n\n";
    assert_eq!(owned("lib/apk/db/installed", record), ["bin/busybox"]);
}
