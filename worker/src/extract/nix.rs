//! Nix: the paths of a store, `nix/store/HASH-NAME-VERSION`, from its database and from the directories themselves.

use std::borrow::Cow;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, GapKind};
use lazaret::path::split;

use super::rpm::sqlite;
use super::{ClaimedFile, Content, Extractor};

mod name;

use name::package;

/// Nix's own database of valid paths. Images that Nix's dockerTools build have none unless asked for.
///
/// Schema: <https://github.com/NixOS/nix/blob/master/src/libstore/schema.sql>, `ValidPaths (id, path, hash, …)`.
pub(super) static DATABASE: Extractor = Extractor {
    name: "nix-database",
    version: 1,
    claims: |path| path == b"nix/var/nix/db/db.sqlite",
    content: Content::Whole(64 << 20),
    companions: &[LOG],
    yields: &[Ecosystem::Nix],
    form: "the store's database",
    extract: database,
};

const LOG: &str = "db.sqlite-wal";
/// So many gaps a database leaves.
const MAX_GAPS: usize = 16;
/// More paths than any store in an image has; rows may overlap in a hostile file.
const MAX_PATHS: usize = 300_000;

/// A directory in the store: what it is called is all that is known of it, and all that Nix's own `nix-env -q` goes by.
pub(super) static STORE: Extractor = Extractor {
    name: "nix-store",
    version: 1,
    claims: |path| path.starts_with(b"nix/store/") && split(path).0 == b"nix/store" && package(split(path).1).is_some(),
    content: Content::Directory,
    companions: &[],
    yields: &[Ecosystem::Nix],
    form: "paths of the store",
    extract: |file| Facts { packages: package(file.path.file_name()).into_iter().collect(), ..Facts::default() },
};

fn database(file: &ClaimedFile<'_>) -> Facts {
    let mut facts = Facts::default();
    let (mut odd, mut more, mut left_out) = (0_u64, 0_u64, 0_u64);
    sqlite::first_texts(file.content, file.companion(LOG), b"ValidPaths", &mut |path: Result<Cow<'_, [u8]>, _>| {
        match path {
            // Of a row's paths the first is the store's; a store elsewhere than in `/nix/store` is no image's own.
            Ok(path) => match path.strip_prefix(b"/nix/store/") {
                Some(name) if facts.packages.len() < MAX_PATHS => facts.packages.extend(package(name)),
                Some(_) => left_out += 1,
                None => odd += 1,
            },
            Err(flaw) if facts.gaps.len() < MAX_GAPS => {
                let gap = file.gap(flaw.kind(), flaw.said_of("Nix database"));
                facts.gaps.push(gap);
            }
            Err(_) => more += 1,
        }
    });
    facts.packages.sort_unstable();
    facts.packages.dedup();
    facts.gaps.sort_unstable();
    facts.gaps.dedup();
    let mut counted = |kind, count: u64, what: &str| {
        if count > 0 {
            facts.gaps.push(file.gap(kind, format!("{count} {what}")));
        }
    };
    counted(GapKind::Malformed, odd, "paths outside of /nix/store in the Nix database");
    counted(GapKind::Malformed, more, "more flaws of the Nix database");
    counted(GapKind::Limit, left_out, "more paths in the Nix database than are kept");
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::golden;

    #[test]
    fn golden_cases() {
        golden::check(&DATABASE);
        golden::check(&STORE);
    }

    #[test]
    fn claims_store_paths_and_nothing_in_them() {
        const PATH: &str = "nix/store/1sgwkhqv8pd0rl7ha3v0hv8l5vmkvr5k-openssl-3.0.13";
        assert!((STORE.claims)(PATH.as_bytes()));
        for path in
            [&format!("{PATH}/bin"), &format!("a/{PATH}"), "nix/store", "nix/store/.links", "nix/store/openssl-3.0.13"]
        {
            assert!(!(STORE.claims)(path.as_bytes()), "{path}");
        }
        assert!((DATABASE.claims)(b"nix/var/nix/db/db.sqlite"));
        assert!(!(DATABASE.claims)(b"srv/nix/var/nix/db/db.sqlite"));
    }

    #[test]
    fn a_damaged_database_is_told_and_neither_panics_nor_bursts() {
        let whole = include_bytes!("../../golden/nix-database/plain/nix/var/nix/db/db.sqlite");
        let path = "nix/var/nix/db/db.sqlite".into();
        let read = |content: &[u8]| database(&ClaimedFile { path: &path, content, companions: &[] });
        let all = read(whole).packages;
        for end in (0..whole.len()).step_by(61) {
            let facts = read(&whole[..end]);
            assert!(facts.packages.iter().all(|package| all.contains(package)), "{end}");
            assert!(facts.packages.len() == all.len() || !facts.gaps.is_empty(), "{end}");
            assert!(facts.gaps.iter().all(|gap| !gap.reason.contains("rpm")), "{:?}", facts.gaps);
        }
        let mut lying = whole.to_vec();
        for at in (0..lying.len()).step_by(7) {
            let honest = std::mem::replace(&mut lying[at], 0xff);
            let _ = read(&lying);
            lying[at] = honest;
        }
    }
}
