//! What an enemy may write into a database: nothing panics, nothing hangs, and what is missing is told.

use std::time::{Duration, Instant};

use super::build::{self, Value};
use super::*;

type Read = fn(&[u8]) -> Facts;

/// A small database of each format with pages in chains, and how it is read.
fn databases() -> [(&'static str, Vec<u8>, Read); 5] {
    let blobs = build::packages(12);
    [
        ("sqlite", build::sqlite(512, &blobs), |bytes| sqlite_facts(bytes, None)),
        ("sqlite, large pages", build::sqlite(65_536, &blobs), |bytes| sqlite_facts(bytes, None)),
        ("ndb", build::ndb(&blobs), ndb_facts),
        ("bdb", build::bdb(512, false, &blobs), bdb_facts),
        ("bdb, big-endian", build::bdb(4096, true, &blobs), bdb_facts),
    ]
}

/// xorshift64*, so that each run does the same.
fn random(state: &mut u64) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as usize
}

/// Far more than any of this takes, even on a busy machine, and far less than a loop.
const LIMIT: Duration = Duration::from_secs(10);

fn within<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < LIMIT, "{what} took {:?}", start.elapsed());
    result
}

#[test]
fn cut_anywhere_is_told() {
    for (name, bytes, read) in databases() {
        let all = read(&bytes);
        assert_eq!((all.packages.len(), all.gaps.len()), (12, 0), "{name}");
        for end in (0..bytes.len()).step_by(64) {
            let facts = within(name, || read(&bytes[..end]));
            assert!(facts.packages == all.packages || !facts.gaps.is_empty(), "{name} cut at {end}");
        }
    }
}

#[test]
fn any_byte_may_lie() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for (name, bytes, read) in databases() {
        let mut bytes = bytes;
        let anywhere: Vec<_> = (0..1000).map(|_| random(&mut state) % bytes.len()).collect();
        for at in (0..1024).chain(anywhere) {
            let flip = 1 + random(&mut state) % 255;
            bytes[at] ^= flip as u8;
            let facts = within(name, || read(&bytes));
            assert!(facts.packages.len() <= 13 && facts.gaps.len() <= MAX_GAPS + 1, "{name} at {at}");
            bytes[at] ^= flip as u8;
        }
        for _ in 0..200 {
            let mut damaged = bytes.clone();
            for _ in 0..50 {
                let at = random(&mut state) % damaged.len();
                damaged[at] = random(&mut state) as u8;
            }
            let facts = within(name, || read(&damaged));
            assert!(facts.gaps.len() <= MAX_GAPS + 1);
        }
    }
}

#[test]
fn a_damaged_log_neither_panics_nor_hides() {
    let blobs = build::packages(4);
    let (old, new) = (build::sqlite(4096, &blobs[..2]), build::sqlite(4096, &blobs));
    let log = build::log(4096, false, &[(1, &new[..4096], 0), (2, &new[4096..8192], 2)]);
    let mut state = 7;
    for at in 0..log.len() {
        let mut damaged = log.clone();
        damaged[at] ^= 1 + (random(&mut state) % 255) as u8;
        let facts = sqlite_facts(&old, Some(&damaged));
        // Another salt, or a first frame that commits nothing, is what a log may look like.
        assert!(facts.packages.len() == 2, "{at}");
        let salt = (40..48).contains(&at) || (40 + 24 + 4096..48 + 24 + 4096).contains(&at);
        assert!(salt || facts.gaps.len() == 1, "{at} {:?}", facts.gaps);
    }
    // A log whose pages lie far behind the end of the file takes no memory for what is between.
    let far = build::log(4096, true, &[(u32::MAX, &new[..4096], u32::MAX)]);
    assert_eq!(names(&sqlite_facts(&old, Some(&far))), ["p000", "p001"]);
}

#[test]
fn pages_that_lead_to_themselves() {
    let blobs = vec![build::package("long", 40_000), build::package("short", 10)];
    let mut bdb = build::bdb(512, false, &blobs);
    for (number, page) in (0_u32..).zip(bdb.chunks_mut(512)) {
        if page[25] == 7 {
            page[16..20].copy_from_slice(&number.to_le_bytes());
        }
    }
    let facts = within("bdb", || bdb_facts(&bdb));
    assert_eq!((names(&facts), facts.gaps.len()), (vec!["short"], 1));

    let mut sqlite = build::sqlite(512, &blobs);
    sqlite[2 * 512..2 * 512 + 4].copy_from_slice(&3_u32.to_be_bytes());
    let facts = within("sqlite", || sqlite_facts(&sqlite, None));
    assert_eq!((names(&facts), facts.gaps.len()), (vec!["short"], 1));

    // An interior page that is its own child, many times.
    let mut sqlite = build::sqlite(65_536, &blobs);
    let root = &mut sqlite[65_536..2 * 65_536];
    root.fill(0);
    root[0] = 5;
    root[3..5].copy_from_slice(&32_000_u16.to_be_bytes());
    root[8..12].copy_from_slice(&2_u32.to_be_bytes());
    let facts = within("sqlite", || sqlite_facts(&sqlite, None));
    assert_eq!((facts.packages.len(), facts.gaps.len() <= MAX_GAPS + 1), (0, true));
    assert!(!facts.gaps.is_empty());
}

#[test]
fn cells_and_slots_that_share_their_bytes() {
    // Each of 30,000 cells of one page is the same long row.
    let mut sqlite = build::sqlite(65_536, &[build::package("same", 4000)]);
    let page = &mut sqlite[65_536..];
    let cell = [page[8], page[9]];
    page[3..5].copy_from_slice(&30_000_u16.to_be_bytes());
    for pointer in page[8..60_008].as_chunks_mut::<2>().0 {
        *pointer = cell;
    }
    let facts = within("sqlite", || sqlite_facts(&sqlite, None));
    assert!(facts.packages.len() <= 1 && !facts.gaps.is_empty());

    let mut ndb = build::ndb(&[build::package("same", 4_000_000)]);
    let slot: [u8; 16] = ndb[32..48].try_into().unwrap();
    for copy in ndb[48..4096].as_chunks_mut::<16>().0 {
        *copy = slot;
    }
    let facts = within("ndb", || ndb_facts(&ndb));
    assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
}

#[test]
fn headers_that_lie() {
    let raw =
        |entries: u32, bytes: u32, rest: &[u8]| [&entries.to_be_bytes()[..], &bytes.to_be_bytes()[..], rest].concat();
    let entry = |tag: u32, kind: u32, at: u32, count: u32| [tag, kind, at, count].map(u32::to_be_bytes).concat();
    let blobs = [
        Vec::new(),
        vec![0],
        raw(u32::MAX, u32::MAX, b""),
        raw(0x1000_0000, 0, b""),
        raw(0, 0, b""),
        raw(1, 16, &[entry(1000, 6, u32::MAX, 1), b"name\0".to_vec()].concat()),
        raw(1, 4, &[entry(1000, 6, 0, 1), b"abcd".to_vec()].concat()),
        raw(1, 4, &[entry(1000, 6, 4, 1), b"abcd".to_vec()].concat()),
        raw(1, 8, &[entry(1116, 4, 0, 0x7fff_ffff), b"12345678".to_vec()].concat()),
        raw(1, 4, &[entry(1000, 99, 0, 1), b"abc\0".to_vec()].concat()),
        build::package("good", 0),
    ];
    for facts in [
        sqlite_facts(&build::sqlite(4096, &blobs), None),
        ndb_facts(&build::ndb(&blobs)),
        bdb_facts(&build::bdb(4096, false, &blobs)),
    ] {
        assert_eq!(names(&facts), ["good"]);
        assert!(!facts.gaps.is_empty());
    }
}

#[test]
fn a_directory_named_again_and_again() {
    let directory = format!("/{}/", "d".repeat(4000));
    let names = vec!["f"; 100_000];
    let indexes = vec![0; 100_000];
    let blob = build::header(&[
        (1000, Value::Text("many")),
        (1001, Value::Text("1")),
        (1002, Value::Text("1")),
        (1116, Value::Numbers(&indexes)),
        (1117, Value::Texts(&names)),
        (1118, Value::Texts(&[&directory])),
    ]);
    let facts = within("files", || ndb_facts(&build::ndb(&[blob])));
    assert_eq!((facts.packages.len(), facts.gaps.len()), (1, 1));
    assert_eq!(facts.gaps[0].kind, GapKind::Limit);
}

#[test]
fn a_package_that_is_there_twice_has_the_files_of_both() {
    let blob = |directory: &str| {
        build::header(&[
            (1000, Value::Text("release")),
            (1001, Value::Text("1")),
            (1002, Value::Text("2")),
            (1116, Value::Numbers(&[0])),
            (1117, Value::Texts(&["os-release"])),
            (1118, Value::Texts(&[directory])),
        ])
    };
    let facts = ndb_facts(&build::ndb(&[blob("/usr/lib/"), build::package("other", 0), blob("/etc/")]));
    assert_eq!(names(&facts), ["other", "release"]);
    assert_eq!(facts.owned, [("etc/os-release".into(), 1), ("usr/lib/os-release".into(), 1)]);
    assert!(facts.files.len() == 2 && facts.files.iter().all(|&(_, index)| index == 1));
}
