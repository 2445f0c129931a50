//! The extractors on databases of their own making, of real distributions, and of an enemy.

mod build;
mod corpus;
mod formats;
mod hostile;

use lazaret::inventory::Facts;

use super::super::{ClaimedFile, Extractor};
use super::*;

/// What the extractor yields for a file of this content at a path that it claims.
fn run(extractor: &Extractor, path: &str, content: &[u8], log: Option<&[u8]>) -> Facts {
    let path = LayerPath::from(path);
    assert!((extractor.claims)(path.as_bytes()), "{path}");
    let companions: Vec<_> = log.map(|log| (LOG, log)).into_iter().collect();
    (extractor.extract)(&ClaimedFile { path: &path, content, companions: &companions })
}

fn sqlite_facts(content: &[u8], log: Option<&[u8]>) -> Facts {
    run(&SQLITE, "usr/lib/sysimage/rpm/rpmdb.sqlite", content, log)
}

fn ndb_facts(content: &[u8]) -> Facts {
    run(&NDB, "usr/lib/sysimage/rpm/Packages.db", content, None)
}

fn bdb_facts(content: &[u8]) -> Facts {
    run(&BERKELEY_DB, "var/lib/rpm/Packages", content, None)
}

/// A database: path, content, and the log of one that may have any.
pub(crate) type Sample = (&'static str, Vec<u8>, Option<Vec<u8>>);

/// Databases of every format.
pub(crate) fn samples() -> Vec<Sample> {
    const SQLITE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";
    let blobs = build::packages(12);
    let sqlite = build::sqlite(4096, &blobs);
    let longer = build::sqlite(4096, &build::packages(13));
    let commit = (longer.len() / 4096) as u32;
    let frames: Vec<_> = (1..).zip(longer.chunks(4096)).map(|(page, content)| (page, content, commit)).collect();
    let log = build::log(4096, false, &frames);
    vec![
        (SQLITE, build::sqlite(512, &blobs), Some(Vec::new())),
        (SQLITE, sqlite, Some(log.clone())),
        (SQLITE, Vec::new(), Some(log)),
        ("usr/lib/sysimage/rpm/Packages.db", build::ndb(&blobs), None),
        ("var/lib/rpm/Packages", build::bdb(512, false, &blobs), None),
        ("var/lib/rpm/Packages", build::bdb(4096, true, &blobs), None),
    ]
}

fn names(facts: &Facts) -> Vec<&str> {
    facts.packages.iter().map(|package| package.name.as_str()).collect()
}

#[test]
fn claims_databases_and_nothing_beside_them() {
    for path in ["var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "usr/share/rpm/rpmdb.sqlite"] {
        assert!(is_claimed(path.as_bytes()), "{path}");
    }
    for path in ["var/lib/rpm/rpmdb.sqlite-wal", "var/lib/rpm/xPackages", "Packages", "srv/var/lib/rpm/Packages"] {
        assert!(!is_claimed(path.as_bytes()), "{path}");
    }
}
