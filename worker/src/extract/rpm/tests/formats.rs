//! What each format's reader reads.

use lazaret::ecosystem::Ecosystem;
use lazaret::package::{Package, SourcePackage};

use super::build::{self, Value};
use super::*;

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("p{n:03}")).collect()
}

#[test]
fn a_whole_header() {
    let blob = build::header(&[
        (1000, Value::Text("python3-six")),
        (1001, Value::Text("1.15.0")),
        (1002, Value::Text("9.el9")),
        (1003, Value::Numbers(&[2])),
        (1011, Value::Text("AlmaLinux")),
        (1014, Value::Text("MIT")),
        (1022, Value::Text("noarch")),
        (1044, Value::Text("python-six-1.15.0-9.el9.src.rpm")),
        (1037, Value::Numbers(&[0, 0, 64])),
        (1116, Value::Numbers(&[1, 0, 0])),
        (1117, Value::Texts(&["status", "passwd", "installed"])),
        (1118, Value::Texts(&["/etc/", "/var/lib/dpkg/"])),
        (5096, Value::Text("python39:3.9:8050:c5368500")),
        // Put behind the region at installation: it goes before the first.
        (1022, Value::Text("riscv64")),
    ]);
    let facts = ndb_facts(&build::ndb(&[build::package("a", 0), blob]));
    let package = Package {
        arch: Some("riscv64".into()),
        source: Some(SourcePackage { name: "python-six".into(), version: "2:1.15.0-9.el9".into() }),
        licence: Some("MIT".into()),
        module: Some("python39:3.9:8050:c5368500".into()),
        vendor: Some("AlmaLinux".into()),
        ..Package::new(Ecosystem::Rpm, "python3-six", "2:1.15.0-9.el9")
    };
    assert_eq!(facts.packages[1], package);
    assert_eq!(facts.owned, [(LayerPath::from("var/lib/dpkg/status"), 1)]);
    assert_eq!(facts.gaps, []);
}

#[test]
fn ghosts_are_not_owned_and_old_lists_are_read() {
    let header = |flags: &[u32]| {
        build::header(&[
            (1000, Value::Text("rpm")),
            (1001, Value::Text("4")),
            (1002, Value::Text("1")),
            (1027, Value::Texts(&["/bin/rpm", "/var/lib/rpm/Packages"])),
            (1037, Value::Numbers(flags)),
        ])
    };
    assert_eq!(ndb_facts(&build::ndb(&[header(&[0, 64])])).owned, []);
    let owned = ndb_facts(&build::ndb(&[header(&[0, 0])])).owned;
    assert_eq!(owned, [(LayerPath::from("var/lib/rpm/Packages"), 0)]);
}

#[test]
fn two_kernels_are_two_packages() {
    let kernel = |release| {
        build::header(&[
            (1000, Value::Text("kernel")),
            (1001, Value::Text("5.14.0")),
            (1002, Value::Text(release)),
            (1003, Value::Numbers(&[0])),
        ])
    };
    let blobs = [kernel("2"), kernel("1")];
    let facts = bdb_facts(&build::bdb(4096, false, &blobs));
    let versions: Vec<_> = facts.packages.iter().map(|package| package.version.as_str()).collect();
    assert_eq!(versions, ["0:5.14.0-1", "0:5.14.0-2"]);
    assert_eq!(facts.gaps, []);
}

#[test]
fn every_page_size_and_byte_order() {
    let blobs = build::packages(90);
    for page_size in [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] {
        let sqlite = sqlite_facts(&build::sqlite(page_size, &blobs), None);
        assert_eq!(
            (names(&sqlite), &sqlite.gaps[..]),
            (expected(90).iter().map(|s| &**s).collect(), &[][..]),
            "{page_size}"
        );
        for big_endian in [false, true] {
            let bdb = bdb_facts(&build::bdb(page_size, big_endian, &blobs));
            assert_eq!(bdb, sqlite, "{page_size} {big_endian}");
        }
    }
    assert_eq!(names(&ndb_facts(&build::ndb(&blobs))), expected(90));
}

/// The database with two packages, and the log that makes four of it, in two commits.
fn logged(big_endian: bool) -> (Vec<u8>, Vec<u8>) {
    let blobs = build::packages(4);
    let old = build::sqlite(4096, &blobs[..2]);
    let [middle, new] = [3, 4].map(|count| build::sqlite(4096, &blobs[..count]));
    let log = build::log(
        4096,
        big_endian,
        &[(2, &old[4096..8192], 0), (2, &middle[4096..8192], 2), (1, &new[..4096], 0), (2, &new[4096..8192], 2)],
    );
    assert_eq!([old.len(), middle.len(), new.len()], [8192; 3]);
    (old, log)
}

#[test]
fn the_log_is_read_up_to_its_last_commit() {
    for big_endian in [false, true] {
        let (file, log) = logged(big_endian);
        let frame = 24 + 4096;
        for (log_len, count) in
            [(0, 2), (32, 2), (32 + frame, 2), (32 + 2 * frame, 3), (32 + 3 * frame, 3), (log.len(), 4)]
        {
            let facts = sqlite_facts(&file, Some(&log[..log_len]));
            assert_eq!((names(&facts).len(), &facts.gaps[..]), (count, &[][..]), "{log_len}");
        }
        // A log that was begun anew keeps frames of the old salt behind the new ones.
        let mut begun_anew = log.clone();
        begun_anew[32 + 2 * frame + 8] ^= 1;
        let facts = sqlite_facts(&file, Some(&begun_anew));
        assert_eq!((names(&facts).len(), facts.gaps.len()), (3, 0));
        // So does one whose last transaction was rolled back, under the same salt but committing nothing.
        let rolled_back = [&log[..32 + 2 * frame], &log[32..32 + frame]].concat();
        let facts = sqlite_facts(&file, Some(&rolled_back));
        assert_eq!((names(&facts).len(), facts.gaps.len()), (3, 0));
        // Damage is told, and nothing behind it believed.
        let mut damaged = log.clone();
        damaged[32 + 2 * frame + 100] ^= 1;
        let facts = sqlite_facts(&file, Some(&damaged));
        assert_eq!((names(&facts).len(), facts.gaps.len()), (3, 1));
        for (at, gaps) in [(0, 1), (5, 1), (9, 1), (17, 1), (30, 1)] {
            let mut damaged = log.clone();
            damaged[at] ^= 0x40;
            assert_eq!(
                (sqlite_facts(&file, Some(&damaged)).gaps.len(), names(&sqlite_facts(&file, Some(&damaged))).len()),
                (gaps, 2),
                "{at}"
            );
        }
    }
}

/// Written by SQLite 3.40 itself: the table is created and checkpointed, all packages are in the log alone.
#[test]
fn packages_that_only_sqlites_own_log_holds() {
    let file = include_bytes!("../../../../golden/rpm/wal-only/rpmdb.sqlite");
    let log = include_bytes!("../../../../golden/rpm/wal-only/rpmdb.sqlite-wal");
    let facts = sqlite_facts(file, Some(log));
    assert_eq!((names(&facts), &facts.gaps[..]), (expected(12).iter().map(|s| &**s).collect(), &[][..]));
    assert_eq!(names(&sqlite_facts(file, None)), [""; 0]);
}

#[test]
fn ndb_tells_a_wrong_checksum_and_reads_on() {
    let mut file = build::ndb(&build::packages(3));
    let padding = file.iter().rposition(|&byte| byte == b'x').unwrap();
    file[padding] = b'y';
    let facts = ndb_facts(&file);
    assert_eq!((names(&facts), facts.gaps.len()), (vec!["p000", "p001", "p002"], 1));
    assert!(facts.gaps[0].reason.contains("checksum of package 3"), "{:?}", facts.gaps);
}

#[test]
fn the_log_says_how_long_the_database_is() {
    let (file, _) = logged(false);
    let log = build::log(4096, false, &[(1, &file[..4096], 1)]);
    let facts = sqlite_facts(&file, Some(&log));
    assert_eq!((names(&facts).len(), facts.gaps.len()), (0, 1));
    assert_eq!(facts.gaps[0].reason, "page 2 of the rpm database is missing");
}
