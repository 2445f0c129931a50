//! What images are searched with, as options: rules that a user adds, and the identity key.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use lazaret::door::store::SharedStore;
use lazaret::exposure::IdentityKey;
use lazaret::key;
use lazaret::rules::{AddedRules, MAX_BYTES, RuleSource, RulesObject};

use super::{Failure, settings};
use crate::local::Searching;
use crate::serve::api::token;

/// Where a store of this machine alone keeps its identity key.
const KEY: &str = "identity/key";
/// How deep below a directory rules are looked for.
const MAX_DEPTH: u32 = 8;

/// Rules that are added to the built-in ones.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct SearchArgs {
    /// Search for the secrets that this TOML file describes too; may be given several times
    #[arg(long, value_name = "FILE", env = "LAZARET_SECRET_RULES", value_delimiter = ',')]
    secret_rules: Vec<PathBuf>,
    /// Search for the malware that the YARA rules in this directory describe too: *.yar and *.yara, below it too
    #[arg(long, value_name = "DIR", env = "LAZARET_YARA_RULES", value_delimiter = ',')]
    yara_rules: Vec<PathBuf>,
    /// Search for files with the hashes in this list too: ClamAV's .hdb and .hsb, or SHA-256, one on a line
    #[arg(long, value_name = "FILE", env = "LAZARET_MALWARE_HASHES", value_delimiter = ',')]
    malware_hashes: Vec<PathBuf>,
}

impl SearchArgs {
    /// Reads and checks the rules.
    pub(super) fn open(&self, key: Option<IdentityKey>) -> Result<Searching, Failure> {
        let all = |paths: &[PathBuf]| paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>();
        let mut yara = Vec::new();
        for directory in &self.yara_rules {
            yara.extend(all(&rule_files(directory)?)?);
        }
        let added = AddedRules { secrets: all(&self.secret_rules)?, yara, hashes: all(&self.malware_hashes)? };
        let added = RulesObject::of(&added).map_err(Failure::new)?;
        Searching::new(added, key).map_err(Failure::new)
    }
}

/// The files of YARA rules below a directory, sorted: the same rules have the same digest everywhere.
fn rule_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut files, mut left) = (Vec::new(), vec![(directory.to_owned(), 0)]);
    while let Some((below, depth)) = left.pop() {
        let failed = |error: io::Error| Failure::new(format_args!("cannot read {}: {error}", below.display()));
        for entry in fs::read_dir(&below).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_rule = path.extension().is_some_and(|extension| extension == "yar" || extension == "yara");
            match path.is_dir() {
                true if depth < MAX_DEPTH => left.push((path, depth + 1)),
                false if is_rule => files.push(path),
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Err(Failure::new(format_args!("{} has no *.yar or *.yara file", directory.display())));
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<RuleSource, Failure> {
    let failed = |error: std::io::Error| Failure::new(format_args!("cannot read {}: {error}", path.display()));
    if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES as u64 {
        return Err(Failure::new(format_args!("{}: more than {} MiB of rules", path.display(), MAX_BYTES >> 20)));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    Ok(RuleSource { name: path.display().to_string(), text })
}

/// Puts the added rules where workers find them.
pub(super) async fn keep(store: &SharedStore, searching: &Searching) -> Result<(), Failure> {
    let Some(added) = searching.added() else { return Ok(()) };
    let name = key::rules(added.digest());
    if store.present(std::slice::from_ref(&name)).await.map_err(Failure::new)? != [true] {
        store.put(&name, added.packed().map_err(Failure::new)?).await.map_err(Failure::new)?;
    }
    Ok(())
}

/// The identity key of a scan: the one in the environment, else that of the store where it is a directory of this machine,
/// which gets one if it has none. A store that others read must not hold it: it is what keeps them from trying values.
pub(super) fn key(store: &str) -> Result<Option<IdentityKey>, Failure> {
    if let Some(key) = settings::identity_key()? {
        return Ok(Some(key));
    }
    let Some(directory) = store.strip_prefix("file:") else { return Ok(None) };
    let path = Path::new(directory).join(KEY);
    // A store that cannot be written to costs the fingerprints, never the scan.
    let known = fs::read_to_string(&path).or_else(|_| make(&path)).ok();
    Ok(known.and_then(|known| IdentityKey::of(&known).ok()))
}

/// A new key, for nobody but this user. Of two processes that make one at the same time, both take the one that comes first.
fn make(path: &Path) -> io::Result<String> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)?;
    // Private from the start, and there at once or not at all.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(token::generate().map_err(io::Error::other)?.expose().as_bytes())?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    fs::read_to_string(path)
}
