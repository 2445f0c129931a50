//! Products that no package manager knows of, recognised in their executables: a file's name says what it may be, its
//! bytes which version it is.
//!
//! A rule's first match in the file counts. Where a file has the name but nothing that matches, nothing is said, and that is
//! no gap: much else may have that name. Several rules may know one name (`mysqld`); what their texts say keeps them apart.

mod names;
mod rules;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use lazaret::package::Package;
use lazaret::path::{LayerPath, split};

use self::names::{digits, names};
use self::search::{LONGEST_MATCH, Outcome, Search};

/// The name under which the fingerprint knows the rules.
pub const NAME: &str = "signature";

/// Raised with every change of what the rules yield that is none of their own words; those are in the fingerprint anyway.
const VERSION: u32 = 1;

/// Bytes that are searched at a time.
const WINDOW: usize = 256 << 10;

/// Whether any rule knows the file at `path` by its name: who owns it is then worth remembering. Below `usr/share` there are
/// no executables (FHS 4.11), but everything has directories and completions called after programs there.
pub fn is_known(path: &[u8]) -> bool {
    !path.starts_with(b"usr/share/") && names().knowing(split(path).1).next().is_some()
}

/// Makes the table of names. The automata are left to who needs them: one layer needs few.
pub fn warm_up() {
    names();
}

/// How many products the rules know.
pub fn products() -> usize {
    names().rules.iter().map(|rule| rule.name).collect::<BTreeSet<_>>().len()
}

/// All that the yield of the rules depends on.
pub fn fingerprint() -> String {
    let mut words = VERSION.to_string();
    for rule in &names().rules {
        let (vendor, product) = rule.cpe;
        for word in [rule.name, vendor, product].iter().chain(rule.files).chain(rule.version) {
            words.push('\n');
            words.push_str(word);
        }
    }
    words
}

/// Searches one executable after the other, each from a stream of chunks, in bounded memory. Call [`Self::begin`],
/// [`Self::feed`] for each chunk, [`Self::finish`].
#[derive(Default)]
pub struct Signatures {
    digits: Vec<u8>,
    searches: Vec<Search>,
    window: Vec<u8>,
    found: Vec<Package>,
}

impl Signatures {
    /// Starts the file at `path`, forgetting the one before. The window stays.
    pub fn begin(&mut self, path: &LayerPath) {
        let name = path.file_name();
        self.window.clear();
        self.found.clear();
        self.searches.clear();
        self.searches.extend(names().knowing(name).map(Search::new));
        self.digits.clear();
        self.digits.extend_from_slice(digits(name));
    }

    /// Takes the next bytes of the file.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() && !self.searches.is_empty() {
            let (now, later) = chunk.split_at(chunk.len().min(WINDOW - self.window.len()));
            self.window.extend_from_slice(now);
            chunk = later;
            if self.window.len() == WINDOW {
                self.look(WINDOW - LONGEST_MATCH);
            }
        }
    }

    /// Ends the file: what it turned out to be, sorted.
    pub fn finish(&mut self) -> Vec<Package> {
        self.look(self.window.len());
        self.searches.clear();
        self.found.sort_unstable();
        self.found.dedup();
        std::mem::take(&mut self.found)
    }

    /// Searches what has been read, for matches that start before `settled`, and keeps the rest.
    fn look(&mut self, settled: usize) {
        let Self { digits, searches, window, found } = self;
        searches.retain_mut(|search| match search.look(window, settled, digits) {
            Outcome::Found(package) => {
                found.push(*package);
                false
            }
            Outcome::NotYet => true,
            Outcome::Never => false,
        });
        window.drain(..settled);
    }
}
