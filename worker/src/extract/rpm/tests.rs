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
