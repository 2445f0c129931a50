//! Layers made to cost more than they should: what is read, what is a gap, and that it ends.

use std::io::Write;

use lazaret::inventory::{GapKind, LayerInventory};

use crate::analyze::analyze_unnamed;
use crate::limits::Limits;
use crate::ruleset::Ruleset;
use crate::secrets::template::Made;

/// Entries of a tar, one after the other.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: u8, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(b'0', name, "", content)
    }

    fn analyzed(&self, limits: &Limits) -> LayerInventory {
        analyze_unnamed(&self.0[..], limits, Ruleset::built_in()).unwrap().inventory
    }

    fn compressed(&self, limits: &Limits) -> LayerInventory {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&self.0).unwrap();
        analyze_unnamed(&gzip.finish().unwrap()[..], limits, Ruleset::built_in()).unwrap().inventory
    }
}

fn packages(inventory: &LayerInventory) -> Vec<&str> {
    inventory.evidence.iter().flat_map(|evidence| &evidence.facts.packages).map(|p| p.name.as_str()).collect()
}

fn gaps(inventory: &LayerInventory) -> Vec<GapKind> {
    inventory.gaps.iter().map(|gap| gap.kind).collect()
}

#[test]
fn one_database_again_and_again_is_read_to_the_last() {
    let mut tar = Tar::default();
    for _ in 0..1000 {
        tar = tar.file("lib/apk/db/installed", b"P:first\nV:1\n\n");
    }
    tar = tar.file("lib/apk/db/installed", b"P:last\nV:1\n\n");
    let inventory = tar.compressed(&Limits::default());
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["last"], vec![]));
    let impatient = Limits { ratio: 10, ratio_from: 64 << 10, ..Limits::default() };
    let inventory = tar.compressed(&impatient);
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["first"], vec![GapKind::Limit]));
    assert_eq!(inventory.diff_id, None, "what was not read to its end has no digest");
}

const STATUS: &[u8] = b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n";

#[test]
fn a_file_of_many_names_is_read_once_and_counts_each_time() {
    let mut tar = Tar::default().file("var/lib/dpkg/status.d/real", STATUS);
    for link in 0..1000 {
        tar = tar.entry(b'1', &format!("var/lib/dpkg/status.d/{link}"), "var/lib/dpkg/status.d/real", b"");
    }
    let inventory = tar.analyzed(&Limits::default());
    assert_eq!((inventory.evidence.len(), packages(&inventory).len(), gaps(&inventory)), (1001, 2002, vec![]));
    let inventory = tar.analyzed(&Limits { facts_bytes: 100_000, ..Limits::default() });
    assert!(packages(&inventory).len() < 400, "{}", packages(&inventory).len());
    assert_eq!(gaps(&inventory), [GapKind::Limit]);
}

#[test]
fn what_was_replaced_frees_its_room() {
    let mut tar = Tar::default();
    for _ in 0..100 {
        tar = tar.file("var/lib/dpkg/status.d/x", STATUS);
        tar = tar.entry(b'1', "var/lib/dpkg/status.d/y", "var/lib/dpkg/status.d/x", b"");
    }
    let inventory = tar.analyzed(&Limits { facts_bytes: 4000, ..Limits::default() });
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["a", "b", "a", "b"], vec![]));
}

#[test]
fn links_are_remembered_up_to_their_bytes() {
    let target = "t/".repeat(45);
    let mut tar = Tar::default();
    for link in 0..100 {
        tar = tar.entry(b'2', &format!("{link}"), &target, b"");
    }
    let inventory = tar.analyzed(&Limits { hides_bytes: 1000, ..Limits::default() });
    assert_eq!((inventory.hides.len(), gaps(&inventory)), (10, vec![GapKind::Limit]));
}

/// Quadratic time would take an hour.
#[test]
fn a_directory_that_comes_and_goes_costs_what_is_in_it() {
    let mut tar = Tar::default();
    for link in 0..20_000 {
        tar = tar.entry(b'2', &format!("links/{link}"), "x", b"");
    }
    for _ in 0..20_000 {
        tar = tar.entry(b'5', "d", "", b"").entry(b'2', "d/x", "y", b"").file("d", b"");
    }
    let start = std::time::Instant::now();
    let inventory = tar.analyzed(&Limits::default());
    // All links, the file, and that the directory which it was hides what a lower layer has in it.
    assert_eq!((inventory.hides.len(), gaps(&inventory)), (20_002, vec![]));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// Each name leads through 40 links, of 80 components each.
#[test]
fn names_through_many_links_end() {
    let there_and_back = "c/../".repeat(18);
    let mut tar = Tar::default();
    for link in 0..40 {
        tar = tar.entry(b'2', &format!("l{link}"), &format!("{there_and_back}l{}", link + 1), b"");
    }
    for file in 0..1000 {
        tar = tar.file(&format!("l0/d{file}/f"), b"");
    }
    assert_eq!(gaps(&tar.analyzed(&Limits::default())), []);
    let inventory = tar.analyzed(&Limits { link_work: 100_000, ..Limits::default() });
    assert!(gaps(&inventory).contains(&GapKind::Limit), "{inventory:?}");
    assert!(inventory.entries < 200, "{}", inventory.entries);
}

/// containerd removes the directory with all that is in it, and makes the later one anew.
#[test]
fn links_in_a_directory_that_a_file_replaced_lead_nowhere() {
    let inventory = Tar::default()
        .entry(b'5', "lib/apk", "", b"")
        .entry(b'2', "lib/apk/db", "/elsewhere", b"")
        .file("lib/apk", b"")
        .entry(b'5', "lib/apk", "", b"")
        .file("lib/apk/db/installed", b"P:a\nV:1\n\n")
        .analyzed(&Limits::default());
    assert_eq!(packages(&inventory), ["a"]);
}

#[test]
fn a_directory_that_says_it_all_is_evidence_however_often_it_is_there() {
    const STORE: &str = "nix/store/1sgwkhqv8pd0rl7ha3v0hv8l5vmkvr5k-openssl-3.0.13";
    let tar = Tar::default()
        .entry(b'5', STORE, "", b"")
        .entry(b'5', &format!("{STORE}/etc"), "", b"")
        .file(&format!("{STORE}/etc/a.json"), b"{}")
        .file(&format!("{STORE}/lib/node_modules/y/package.json"), br#"{"name":"y","version":"1"}"#)
        .entry(b'5', STORE, "", b"");
    let inventory = tar.analyzed(&Limits::default());
    assert_eq!((packages(&inventory), gaps(&inventory)), (vec!["openssl", "y"], vec![]));
    assert_eq!(inventory.two_kinds, None);
    // A file of that name is no package of Nix, nor what was below the directory that it replaces.
    let inventory = tar.file(STORE, b"").analyzed(&Limits::default());
    assert_eq!(packages(&inventory), Vec::<&str>::new());
}

#[test]
fn a_log_is_read_beside_the_database_of_its_own_place_only() {
    let log = Tar::default().file("srv/app/db.sqlite", b"x").file("srv/app/db.sqlite-wal", b"x");
    let inventory = log.analyzed(&Limits::default());
    assert_eq!((inventory.evidence.len(), gaps(&inventory)), (0, vec![]));
    let alone = Tar::default().file("nix/var/nix/db/db.sqlite-wal", b"x").analyzed(&Limits::default());
    assert_eq!(alone.evidence[0].facts.gaps[0].kind, GapKind::UnresolvedLink);
}

#[test]
fn what_an_entry_says_beside_its_data_is_searched() {
    let [attribute, name, target] =
        ["attribute", "name", "target"].map(|seed| Made::of(seed).text("ghp_{alnum:30}{crc}"));
    let record = format!(" SCHILY.xattr.user.note=a token {attribute}\n");
    let record = format!("{}{record}", record.len() + 2);
    let inventory = Tar::default()
        .entry(b'x', "pax", "", record.as_bytes())
        .file("app/data", b"nothing")
        .file("app/other", b"nothing")
        .file(&format!("cache/{name}"), b"nothing")
        .entry(b'2', "app/link", &format!("/x/{target}"), b"")
        .analyzed(&Limits::default());
    let told: Vec<_> = inventory.exposures.iter().map(|found| found.path.to_string()).collect();
    let masked = format!("cache/gh****{}", &name[38..]);
    assert_eq!(told, ["app/data!/extended attributes", "app/link", &masked]);
}
