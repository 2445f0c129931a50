//! rpm's databases: SQLite (rpm 4.16 and later), ndb (SUSE) and Berkeley DB (before), all read from the bytes alone.

use std::cell::RefCell;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind};
use lazaret::package::Package;
use lazaret::path::{LayerPath, split};

use super::{ClaimedFile, Content, Extractor, is_claimed, owned};

mod bdb;
mod files;
pub(super) mod flaw;
mod header;
mod manifest;
mod ndb;
mod package;
mod pieces;
pub(super) mod sqlite;
#[cfg(test)]
pub(super) mod tests;

pub(super) use manifest::MANIFEST;

use flaw::Flaw;
use header::Header;
use pieces::Pieces;

/// The classic place, the one that SUSE and Fedora moved to, and that of rpm-ostree.
const DIRECTORIES: [&[u8]; 3] = [b"var/lib/rpm", b"usr/lib/sysimage/rpm", b"usr/share/rpm"];
const LOG: &str = "rpmdb.sqlite-wal";
/// So many gaps a database leaves; the rest is counted.
const MAX_GAPS: usize = 16;
/// Real headers spend over 60 bytes on a file, and paths are about as long.
const PATH_BYTES_PER_BYTE: u64 = 16;
const MAX_BYTES: Content = Content::Whole(512 << 20);

/// rpm 4.16 and later: Fedora, RHEL 9, Azure Linux, Amazon Linux 2023.
pub(super) static SQLITE: Extractor = Extractor {
    name: "rpm-sqlite",
    version: 1,
    claims: |path| is_database(path, b"rpmdb.sqlite"),
    content: MAX_BYTES,
    companions: &[LOG],
    yields: &[Ecosystem::Rpm],
    form: "`rpmdb.sqlite` with its write-ahead log",
    extract: |file| {
        let log = file.companion(LOG);
        let bytes = file.content.len() + log.map_or(0, <[u8]>::len);
        facts(file, bytes, &is_claimed, &mut |each| sqlite::read(file.content, log, each))
    },
};

/// SUSE.
pub(super) static NDB: Extractor = Extractor {
    name: "rpm-ndb",
    version: 1,
    claims: |path| is_database(path, b"Packages.db"),
    content: MAX_BYTES,
    companions: &[],
    yields: &[Ecosystem::Rpm],
    form: "NDB",
    extract: |file| facts(file, file.content.len(), &is_claimed, &mut |each| ndb::read(file.content, each)),
};

/// rpm before 4.16: RHEL 8 and earlier, Amazon Linux 2, Photon.
pub(super) static BERKELEY_DB: Extractor = Extractor {
    name: "rpm-bdb",
    version: 1,
    claims: |path| is_database(path, b"Packages"),
    content: MAX_BYTES,
    companions: &[],
    yields: &[Ecosystem::Rpm],
    form: "BerkeleyDB",
    extract: |file| facts(file, file.content.len(), &is_claimed, &mut |each| bdb::read(file.content, each)),
};

fn is_database(path: &[u8], name: &[u8]) -> bool {
    path.ends_with(name) && split(path).1 == name && DIRECTORIES.contains(&split(path).0)
}

/// Takes what a reader of a database found, one by one.
type Each<'a, 'e> = dyn FnMut(Result<Pieces<'a>, Flaw>) + 'e;

/// What the database yields that `read` reads; `bytes` is the size of all that it reads.
fn facts<'a>(
    file: &ClaimedFile<'_>,
    bytes: usize,
    claims: &dyn Fn(&[u8]) -> bool,
    read: &mut dyn FnMut(&mut Each<'a, '_>),
) -> Facts {
    let mut found = Found {
        packages: Vec::new(),
        flaws: Vec::new(),
        more_flaws: 0,
        bytes_left: bytes,
        path_bytes_left: PATH_BYTES_PER_BYTE * bytes as u64,
    };
    read(&mut |record| match record {
        Ok(blob) => found.record(&blob, claims),
        Err(flaw) => found.flaw(flaw),
    });
    found.packages.sort_unstable();
    found.packages.dedup();
    let mut facts = Facts { gaps: gaps(file, found.flaws, found.more_flaws), ..Facts::default() };
    for (package, owned, files) in found.packages {
        // A damaged database may have a package twice, with other files each time.
        if facts.packages.last() != Some(&package) {
            facts.packages.push(package);
        }
        let index = facts.packages.len() as u32 - 1;
        facts.files.extend(files.into_iter().map(|file| (file, index)));
        facts.owned.extend(owned.into_iter().map(|path| (path, index)));
    }
    facts.owned.sort_unstable();
    facts
}

struct Found {
    /// Each with those of its files that are claimed, and the keys of all.
    packages: Vec<(Package, Vec<LayerPath>, Vec<u64>)>,
    flaws: Vec<Flaw>,
    more_flaws: u64,
    /// Bytes that no header took yet: what a hostile file can make us do is in proportion to its size.
    bytes_left: usize,
    path_bytes_left: u64,
}

impl Found {
    fn record(&mut self, blob: &Pieces<'_>, claims: &dyn Fn(&[u8]) -> bool) {
        let Some(left) = self.bytes_left.checked_sub(blob.len()) else { return self.flaw(Flaw::Overlap) };
        self.bytes_left = left;
        let mut flaws = Vec::new();
        let package = Header::open(blob).and_then(|header| Ok((package::package(&header, &mut flaws)?, header)));
        match package {
            Ok((package, header)) => {
                let files = RefCell::new(Vec::new());
                let claims = |path: &[u8]| {
                    files.borrow_mut().push(owned::key(path));
                    claims(path)
                };
                let owned = files::claimed_files(&header, &claims, &mut self.path_bytes_left);
                let owned = owned.unwrap_or_else(|flaw| {
                    flaws.push(flaw);
                    Vec::new()
                });
                self.packages.push((package, owned, files.into_inner()));
            }
            Err(flaw) => flaws.push(flaw),
        }
        flaws.into_iter().for_each(|flaw| self.flaw(flaw));
    }

    fn flaw(&mut self, flaw: Flaw) {
        if self.flaws.len() < MAX_GAPS && !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        } else {
            self.more_flaws += 1;
        }
    }
}

fn gaps(file: &ClaimedFile<'_>, flaws: Vec<Flaw>, more: u64) -> Vec<Gap> {
    let mut gaps: Vec<_> = flaws.iter().map(|flaw| file.gap(flaw.kind(), flaw.to_string())).collect();
    if more > 0 {
        gaps.push(file.gap(GapKind::Malformed, format!("{more} more flaws of the rpm database")));
    }
    gaps
}
