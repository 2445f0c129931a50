//! One walk over a layer's tar: claimed files become evidence, and whatever may hide a lower layer is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use lazaret::files::{self, Files};
use lazaret::inventory::{Facts, Gap, GapKind, Hide, HideKind, LayerInventory, Link};
use lazaret::path::{LayerPath, keys_below, split};

use crate::decompress::Breach;
use crate::extract::{Content, Extractor, claim};
use crate::limits::Limits;
use crate::ruleset::Ruleset;
use crate::tar::{Entries, Entry, EntryKind, TarError};

mod body;
mod evidence;
mod executable;
mod executables;
mod exposures;
mod names;
#[cfg(test)]
mod tests;
mod whiteouts;

use body::Body;
use evidence::Harvest;
use exposures::Exposures;
use names::Names;

/// Non-directories at most this deep are remembered as shadows; deeper ones only where they can replace evidence.
const SHADOW_DEPTH: usize = 3;
/// Directories at most this deep are remembered, because they may replace a symbolic link of a lower layer.
pub(crate) const DIRECTORY_DEPTH: usize = 2;

/// Walks the tar in `stream` to its end and returns what it holds, with the stream after it. Files that are claimed by an
/// extractor other than `extractors` become gaps. Digests and byte counts of the inventory are the caller's to fill in.
pub(crate) fn walk<R: BufRead>(
    stream: R,
    limits: &Limits,
    extractors: &[&Extractor],
    rules: Ruleset,
) -> Result<(LayerInventory, R), (TarError, R)> {
    let mut entries = Entries::new(stream);
    match walk_entries(&mut entries, limits, extractors, rules) {
        Ok(inventory) => Ok((inventory, entries.into_inner())),
        Err(error) => Err((error, entries.into_inner())),
    }
}

fn walk_entries<R: BufRead>(
    entries: &mut Entries<R>,
    limits: &Limits,
    extractors: &[&Extractor],
    rules: Ruleset,
) -> Result<LayerInventory, TarError> {
    let mut walk = Walk::new(limits, extractors, rules);
    let mut entry = Entry::default();
    let mut count = 0;
    loop {
        match entries.next(&mut entry) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if is_breach(&error) => break,
            Err(error) => return Err(error),
        }
        if count == limits.entries {
            walk.gap(GapKind::Limit, LayerPath::root(), format!("more than {count} entries; the rest was not read"));
            break;
        }
        count += 1;
        match walk.entry(&entry, entries) {
            Err(error) if is_breach(&error) => break,
            walked => walked?,
        }
        if walk.names.exhausted() {
            let reason = "names lead through too many symbolic links; the rest was not read";
            walk.gap(GapKind::Limit, LayerPath::root(), reason);
            break;
        }
    }
    if entries.has_global_overrides() {
        let reason = "a pax global header sets names or sizes, which readers of tar disagree about";
        walk.gap(GapKind::Ambiguous, LayerPath::root(), reason);
    }
    let mut inventory = walk.finish();
    inventory.entries = count;
    Ok(inventory)
}

/// Whether the stream stopped at a limit: then what was seen until there counts, with a gap.
fn is_breach(error: &TarError) -> bool {
    matches!(error, TarError::Read(error) if Breach::of(error).is_some())
}

struct Walk<'l> {
    limits: &'l Limits,
    names: Names,
    harvest: Harvest<'l>,
    executables: executable::Reader,
    exposures: Exposures<'l>,
    whiteouts: BTreeSet<LayerPath>,
    opaques: BTreeSet<LayerPath>,
    /// What stands at a path now, where that may hide something: symbolic links, shallow files, shallow directories.
    standing: BTreeMap<LayerPath, HideKind>,
    /// Programs and shared objects, with their sizes.
    programs: BTreeMap<LayerPath, u64>,
    /// Bytes of all that is remembered because it hides, even if it no longer does.
    hides_bytes: usize,
    /// The first path that this layer has as two kinds of file.
    two_kinds: Option<LayerPath>,
    /// The keys of all files.
    files: Vec<u32>,
    gaps: BTreeSet<Gap>,
}

impl<'l> Walk<'l> {
    fn new(limits: &'l Limits, extractors: &'l [&'l Extractor], rules: Ruleset) -> Self {
        Self {
            limits,
            names: Names::new(limits.link_work),
            harvest: Harvest::new(limits, extractors),
            executables: executable::Reader::default(),
            exposures: Exposures::new(limits, rules),
            whiteouts: BTreeSet::new(),
            opaques: BTreeSet::new(),
            standing: BTreeMap::new(),
            programs: BTreeMap::new(),
            hides_bytes: 0,
            two_kinds: None,
            files: Vec::new(),
            gaps: BTreeSet::new(),
        }
    }

    fn entry<R: BufRead>(&mut self, entry: &Entry, entries: &mut Entries<R>) -> Result<(), TarError> {
        if entry.name.len() > Limits::PATH_BYTES || entry.link.len() > Limits::PATH_BYTES {
            self.gap(GapKind::Limit, LayerPath::root(), "a name longer than 4096 bytes, which no file system takes");
            return Ok(());
        }
        let Some(path) = self.names.resolve(&entry.name) else {
            self.gap(GapKind::Ambiguous, LayerPath::root(), "an entry below symbolic links that lead in a circle");
            return Ok(());
        };
        if path.is_root() {
            return Ok(());
        }
        if let Some(hidden) = path.file_name().strip_prefix(b".wh.") {
            self.whiteout(&path, hidden);
            return Ok(());
        }
        if let Some(component) = path.as_bytes().split(|&b| b == b'/').find(|name| name.starts_with(b".wh.")) {
            // AUFS keeps its books in directories of such names; below any other whiteout nothing can be meant.
            if !component.starts_with(b".wh..wh.") {
                self.gap(GapKind::Ambiguous, LayerPath::root(), "an entry below a whiteout");
            }
            return Ok(());
        }
        self.exposures.labels(entry, &path).map_err(TarError::Read)?;
        self.names.imply_parents(&path, self.limits);
        if entry.kind() == EntryKind::Directory {
            self.directory(path);
            return Ok(());
        }
        if self.names.is_implied(&path) {
            // Harmless, unless a lower layer has a link there: then what came before this went through it.
            self.stand(path.clone(), HideKind::Shadow);
        }
        if self.names.forget_directory(&path) {
            self.harvest.drop_below(&path);
            for below in keys_below(&self.standing, &path) {
                self.standing.remove(&below);
            }
            for below in keys_below(&self.programs, &path) {
                self.programs.remove(&below);
            }
            self.two_kinds(&path);
        }
        if self.names.forget_symlink(&path) && entry.kind() != EntryKind::Symlink {
            self.two_kinds(&path);
        }
        self.harvest.drop_at(&path);
        self.programs.remove(&path);
        self.files.push(files::key(path.as_bytes()));
        let claimant = claim(path.as_bytes()).filter(|extractor| extractor.content != Content::Directory);
        match entry.kind() {
            EntryKind::File => self.searched_file(entry, entries, path, claimant)?,
            EntryKind::Symlink => self.symlink(entry.link.clone(), path, claimant),
            EntryKind::HardLink => self.hard_link(entry, path, claimant),
            _ => {
                if let Some(extractor) = claimant {
                    let gap = Gap { kind: GapKind::Malformed, path: path.clone(), reason: "not a regular file".into() };
                    self.harvest.found(path.clone(), extractor.name, Facts { gaps: vec![gap], ..Facts::default() });
                }
                self.stand(path, HideKind::Shadow);
            }
        }
        Ok(())
    }

    /// A file, of which every byte is searched, whoever reads it.
    fn searched_file<R: BufRead>(
        &mut self,
        entry: &Entry,
        entries: &mut Entries<R>,
        path: LayerPath,
        claimant: Option<&'static Extractor>,
    ) -> Result<(), TarError> {
        let mut file = self.exposures.begin(&path, entry.size, entry.mode);
        let mut body = Body::new(entries, entry, &mut file);
        let read = self.file(entry, &mut body, path.clone(), claimant).and_then(|()| body.drain());
        read.and(self.exposures.end(&path, file).map_err(TarError::Read))
    }

    fn file<R: BufRead>(
        &mut self,
        entry: &Entry,
        body: &mut Body<'_, R>,
        path: LayerPath,
        claimant: Option<&'static Extractor>,
    ) -> Result<(), TarError> {
        if let Some(extractor) = claimant {
            match extractor.content {
                Content::NameOnly => {
                    let facts = self.harvest.extract_now(extractor, &path, &[]);
                    self.harvest.found(path, extractor.name, facts);
                }
                Content::Whole(_) => self.harvest.read(body, path, extractor)?,
                // Never claims a file.
                Content::Directory => {}
            }
            return Ok(());
        }
        if self.harvest.is_companion(&path) {
            return self.harvest.read_companion(body, path);
        }
        let seen = self.executables.read(body, &path)?;
        let shadows = seen.is_executable || entry.mode & 0o111 != 0 || depth(&path) <= SHADOW_DEPTH;
        if seen.is_program {
            self.program(path.clone(), entry.size);
        } else if shadows && seen.facts.is_none() {
            self.stand(path.clone(), HideKind::Shadow);
        }
        if let Some(facts) = seen.facts {
            self.harvest.found(path, executable::NAME, facts);
        }
        Ok(())
    }

    fn directory(&mut self, path: LayerPath) {
        let claimant = claim(path.as_bytes());
        let reader = claimant.filter(|extractor| extractor.content == Content::Directory);
        if reader.is_some_and(|extractor| self.harvest.has_found(&path, extractor.name)) {
            // The same directory once more.
            return;
        }
        let replaced_link = self.names.forget_symlink(&path);
        let replaced_file = self.harvest.drop_at(&path)
            | self.programs.remove(&path).is_some()
            | (self.standing.remove(&path) == Some(HideKind::Shadow));
        if replaced_link || replaced_file {
            self.two_kinds(&path);
            self.opaques.insert(path.clone());
        }
        if depth(&path) <= DIRECTORY_DEPTH || claimant.is_some() || self.names.is_implied(&path) {
            self.stand(path.clone(), HideKind::Directory);
        }
        self.names.add_directory(&path);
        if let Some(extractor) = reader {
            let facts = self.harvest.extract_now(extractor, &path, &[]);
            self.harvest.found(path, extractor.name, facts);
        }
    }

    /// Remembers a path that is a directory and something else, or a link and a file, in one layer; no builder writes that.
    fn two_kinds(&mut self, path: &LayerPath) {
        self.two_kinds.get_or_insert_with(|| path.clone());
    }

    fn symlink(&mut self, target: Vec<u8>, path: LayerPath, claimant: Option<&'static Extractor>) {
        if let Some(extractor) = claimant.filter(|e| e.content != Content::NameOnly) {
            let link = Some(Link::Symbolic(target.clone()));
            self.harvest.found(path.clone(), extractor.name, Facts { link, ..Facts::default() });
        }
        if self.stand(path.clone(), HideKind::Symlink(target.clone())) {
            self.names.add_symlink(&path, &target);
        }
    }

    fn hard_link(&mut self, entry: &Entry, path: LayerPath, claimant: Option<&'static Extractor>) {
        let extractor = claimant.map_or(executable::NAME, |extractor| extractor.name);
        let target = self.names.resolve(&entry.link);
        if let Some(symlink) = target.as_ref().and_then(|target| self.names.symlink(target)) {
            return self.symlink(symlink, path, claimant);
        }
        match target {
            // Linked to itself, the file that was there stays; nothing else can be meant.
            Some(target) if target == path => {}
            Some(target) => {
                if self.programs.contains_key(&target) {
                    self.program(path.clone(), 0);
                }
                self.names.add_foreign(&path, self.limits);
                self.harvest.hard_link(path.clone(), extractor, target);
            }
            None => self.gap(
                GapKind::UnresolvedLink,
                path.clone(),
                "a hard link through symbolic links that lead in a circle",
            ),
        }
        if entry.mode & 0o111 != 0 || depth(&path) <= SHADOW_DEPTH {
            self.stand(path, HideKind::Shadow);
        }
    }

    /// Remembers what stands at a path now; false if there is no room for it.
    fn stand(&mut self, path: LayerPath, kind: HideKind) -> bool {
        let target = if let HideKind::Symlink(target) = &kind { target.len() } else { 0 };
        let room = self.has_room_to_stand(path.as_bytes().len() + target);
        if room {
            self.standing.insert(path, kind);
        }
        room
    }

    /// Remembers an executable, which hides what lower layers have there.
    fn program(&mut self, path: LayerPath, bytes: u64) {
        if self.has_room_to_stand(path.as_bytes().len()) {
            self.programs.insert(path, bytes);
        }
    }

    fn has_room_to_stand(&mut self, bytes: usize) -> bool {
        let room = self.standing.len() + self.programs.len() < self.limits.hides && self.has_room_for(bytes);
        if !room {
            let reason = "more paths that may hide lower layers than are remembered";
            self.gap(GapKind::Limit, LayerPath::root(), reason);
        }
        room
    }

    fn has_room_for(&mut self, bytes: usize) -> bool {
        self.hides_bytes = self.hides_bytes.saturating_add(bytes);
        self.hides_bytes <= self.limits.hides_bytes
    }

    fn gap(&mut self, kind: GapKind, path: LayerPath, reason: impl Into<String>) {
        // Gaps are a set of different reasons; a layer that makes a thousand different ones is not told apart further.
        if self.gaps.len() < 1000 {
            self.gaps.insert(Gap { kind, path, reason: reason.into() });
        }
    }

    fn finish(mut self) -> LayerInventory {
        if let Some(path) = self.names.below_foreign().cloned() {
            let reason = "entries below a hard link, which may be to a symbolic link of a lower layer";
            self.gap(GapKind::Ambiguous, path, reason);
        }
        if self.names.overflowed() {
            self.gap(GapKind::Limit, LayerPath::root(), "too many directories without an entry of their own");
        }
        let (mut evidence, gaps) = self.harvest.finish();
        self.gaps.extend(gaps);
        let (exposures, gaps) = self.exposures.finish();
        self.gaps.extend(gaps);
        let executables = executables::owned_by(self.programs, &mut evidence);
        let mut hides: Vec<Hide> =
            self.whiteouts.into_iter().map(|path| Hide { path, kind: HideKind::Whiteout }).collect();
        hides.extend(self.opaques.into_iter().map(|path| Hide { path, kind: HideKind::Opaque }));
        // Evidence says itself that a file stands there now.
        let found = |path: &LayerPath| evidence.binary_search_by(|found| found.path.cmp(path)).is_ok();
        let standing = self.standing.into_iter().filter(|(path, kind)| *kind != HideKind::Shadow || !found(path));
        hides.extend(standing.map(|(path, kind)| Hide { path, kind }));
        hides.sort_unstable();
        LayerInventory {
            evidence,
            executables,
            hides,
            implied_directories: self.names.into_implied(),
            two_kinds: self.two_kinds,
            exposures,
            files: Files::of(self.files),
            gaps: self.gaps.into_iter().collect(),
            ..LayerInventory::default()
        }
    }
}

/// How many components a path has.
fn depth(path: &LayerPath) -> usize {
    1 + memchr::memchr_iter(b'/', path.as_bytes()).count()
}

/// The directory of a path, and its name in it.
fn directory_and_name(path: &LayerPath) -> (&[u8], &[u8]) {
    split(path.as_bytes())
}
