//! Claimed files on their way to evidence: read while the tar streams by, extracted in batches by all cores.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::BufRead;
use std::sync::Arc;

use lazaret::inventory::{Evidence, Facts, Gap, GapKind, Link, list_owner};
use lazaret::path::{LayerPath, keys_below};
use rayon::prelude::*;

use super::body::Body;
use super::directory_and_name;
use crate::extract::{ClaimedFile, Content, EXTRACTORS, Extractor};
use crate::limits::Limits;
use crate::tar::{Chunk, TarError};

/// Pending bytes, or files, that are worth waking the other cores for.
const BATCH: u64 = 16 << 20;
const BATCH_FILES: usize = 8192;

/// What a layer's claimed files yielded so far, and those that wait.
pub(super) struct Harvest<'l> {
    limits: &'l Limits,
    /// Those that read. What another one claims is recognised, and a gap.
    extractors: &'l [&'l Extractor],
    found: BTreeMap<LayerPath, Found>,
    pending: BTreeMap<LayerPath, Pending>,
    companions: BTreeMap<LayerPath, Arc<Vec<u8>>>,
    pending_bytes: u64,
    /// What `found` takes in memory, about.
    found_bytes: usize,
    gaps: BTreeSet<Gap>,
}

/// Evidence but for its path, which is its key.
struct Found {
    extractor: &'static str,
    facts: Facts,
}

impl Found {
    fn weight(&self, path: &LayerPath) -> usize {
        path.as_bytes().len() + self.facts.weight()
    }
}

struct Pending {
    extractor: &'static Extractor,
    content: Arc<Vec<u8>>,
}

impl<'l> Harvest<'l> {
    pub(super) fn new(limits: &'l Limits, extractors: &'l [&'l Extractor]) -> Self {
        Self {
            limits,
            extractors,
            found: BTreeMap::new(),
            pending: BTreeMap::new(),
            companions: BTreeMap::new(),
            pending_bytes: 0,
            found_bytes: 0,
            gaps: BTreeSet::new(),
        }
    }

    /// Records evidence; past the limit only the gap that says so.
    pub(super) fn found(&mut self, path: LayerPath, extractor: &'static str, facts: Facts) {
        if self.has_room() {
            self.keep(path, extractor, facts);
        }
    }

    fn keep(&mut self, path: LayerPath, extractor: &'static str, mut facts: Facts) {
        // A list of one has room for four, and a layer may have a list of one in each of its files.
        facts.packages.shrink_to_fit();
        facts.owned.shrink_to_fit();
        facts.gaps.shrink_to_fit();
        let mut found = Found { extractor, facts };
        if self.found_bytes.saturating_add(found.weight(&path)) > self.limits.facts_bytes {
            self.too_much();
            // That the file is here counts all the same: it replaces what a lower layer has.
            found.facts = Facts::default();
        }
        self.found_bytes += found.weight(&path);
        if let Some(replaced) = self.found.insert(path.clone(), found) {
            self.found_bytes -= replaced.weight(&path);
        }
    }

    fn too_much(&mut self) {
        let reason = format!("packages take more than {} bytes; the rest was not kept", self.limits.facts_bytes);
        self.gaps.insert(Gap { kind: GapKind::Limit, path: LayerPath::root(), reason });
    }

    fn has_room(&mut self) -> bool {
        let claimed = self.found.len() + self.pending.len() + self.companions.len();
        let mut room = claimed < self.limits.evidence;
        if room && self.found_bytes >= self.limits.facts_bytes {
            self.too_much();
            room = false;
        } else if !room {
            let reason = format!("more than {} files with packages; the rest was not read", self.limits.evidence);
            self.gaps.insert(Gap { kind: GapKind::Limit, path: LayerPath::root(), reason });
        }
        room
    }

    /// Whether `extractor` found anything at `path` itself.
    pub(super) fn has_found(&self, path: &LayerPath, extractor: &str) -> bool {
        self.found.get(path).is_some_and(|found| found.extractor == extractor)
    }

    /// Runs an extractor that needs no bytes, or on bytes at hand.
    pub(super) fn extract_now(&self, extractor: &Extractor, path: &LayerPath, content: &[u8]) -> Facts {
        yielded(self.extractors, extractor, &ClaimedFile { path, content, companions: &[] })
    }

    /// Reads a claimed file into memory, for a later batch.
    pub(super) fn read<R: BufRead>(
        &mut self,
        body: &mut Body<'_, R>,
        path: LayerPath,
        extractor: &'static Extractor,
    ) -> Result<(), TarError> {
        let Content::Whole(max_bytes) = extractor.content else { return Ok(()) };
        if !self.has_room() {
            return Ok(());
        }
        match self.content(body, max_bytes)? {
            Some(content) => {
                self.pending.insert(path, Pending { extractor, content });
            }
            None => {
                let reason = format!("{} bytes, more than are read of such a file", body.size());
                let gap = Gap { kind: GapKind::Limit, path: path.clone(), reason };
                self.found(path, extractor.name, Facts { gaps: vec![gap], ..Facts::default() });
            }
        }
        if self.pending_bytes >= BATCH || self.pending.len() >= BATCH_FILES {
            self.extract_batch(false);
        }
        Ok(())
    }

    /// Whether an extractor wants to see this file beside the one it claims: the log of a database that it reads here,
    /// not of one that is called the same elsewhere.
    pub(super) fn is_companion(&self, path: &LayerPath) -> bool {
        let wants = |e: &&&Extractor| e.companions.iter().any(|name| name.as_bytes() == path.file_name());
        let mut wanting = EXTRACTORS.iter().filter(wants);
        match path.as_bytes().strip_suffix(b"-wal") {
            Some(database) => wanting.any(|extractor| (extractor.claims)(database)),
            None => wanting.next().is_some(),
        }
    }

    pub(super) fn read_companion<R: BufRead>(
        &mut self,
        body: &mut Body<'_, R>,
        path: LayerPath,
    ) -> Result<(), TarError> {
        const MAX_BYTES: u64 = 64 << 20;
        if !self.has_room() {
            return Ok(());
        }
        match self.content(body, MAX_BYTES)? {
            Some(content) => {
                self.companions.insert(path, content);
            }
            None => {
                let reason = format!("{} bytes, more than are read of such a file", body.size());
                self.gaps.insert(Gap { kind: GapKind::Limit, path, reason });
            }
        }
        Ok(())
    }

    /// The entry's bytes, or nothing if they are more than `max_bytes` or than there is room for.
    fn content<R: BufRead>(
        &mut self,
        body: &mut Body<'_, R>,
        max_bytes: u64,
    ) -> Result<Option<Arc<Vec<u8>>>, TarError> {
        const TRUSTED_SIZE: usize = 1 << 20;
        if body.size() > max_bytes {
            return Ok(None);
        }
        if self.pending_bytes + body.size() > self.limits.pending_bytes {
            self.extract_batch(false);
            if self.pending_bytes + body.size() > self.limits.pending_bytes {
                return Ok(None);
            }
        }
        let size = body.size() as usize;
        // The size is a claim; memory is taken as bytes arrive.
        let mut content = Vec::with_capacity(size.min(TRUSTED_SIZE));
        while let Some(chunk) = body.chunk()? {
            match chunk {
                Chunk::Zeros(zeros) => content.resize(content.len() + zeros as usize, 0),
                Chunk::Data(data) => {
                    let n = data.len();
                    content.extend_from_slice(data);
                    body.consume(n);
                }
            }
        }
        self.pending_bytes += size as u64;
        Ok(Some(Arc::new(content)))
    }

    /// Whatever was found at `path` was replaced; true if there was anything.
    pub(super) fn drop_at(&mut self, path: &LayerPath) -> bool {
        let pending = self.pending.remove(path).map(|pending| pending.content);
        let companion = self.companions.remove(path);
        for content in pending.iter().chain(&companion) {
            self.pending_bytes -= content.len() as u64;
        }
        let found = self.found.remove(path);
        if let Some(found) = &found {
            self.found_bytes -= found.weight(path);
        }
        pending.is_some() | companion.is_some() | found.is_some()
    }

    /// Whatever was found below `directory` is gone.
    pub(super) fn drop_below(&mut self, directory: &LayerPath) {
        let mut below = keys_below(&self.found, directory);
        below.extend(keys_below(&self.pending, directory));
        below.extend(keys_below(&self.companions, directory));
        for path in below {
            self.drop_at(&path);
        }
    }

    /// A hard link called `path` to `target`: what the target yields in this layer, or a link for the composition to resolve.
    pub(super) fn hard_link(&mut self, path: LayerPath, extractor: &'static str, target: LayerPath) {
        if let Some(pending) = self.pending.get(&target)
            && pending.extractor.name == extractor
        {
            if !pending.extractor.companions.is_empty() {
                // The bytes are counted again, so that both may be dropped alike.
                self.pending_bytes += pending.content.len() as u64;
                let shared = Pending { extractor: pending.extractor, content: Arc::clone(&pending.content) };
                self.pending.insert(path, shared);
                return;
            }
            // Extracted once, however many links there are to it.
            self.extract_one(&target);
        }
        let facts = match self.found.get(&target) {
            Some(evidence) if evidence.extractor == extractor => moved(&evidence.facts, &target, &path),
            _ => Facts { link: Some(Link::Hard(target)), ..Facts::default() },
        };
        self.found(path, extractor, facts);
    }

    fn extract_one(&mut self, path: &LayerPath) {
        let Some(pending) = self.pending.remove(path) else { return };
        self.pending_bytes -= pending.content.len() as u64;
        let facts = extract(self.extractors, path, &pending, &self.companions);
        self.keep(path.clone(), pending.extractor.name, facts);
    }

    /// Extracts what is pending, with all cores; files that may yet get a companion wait for the `last` batch.
    fn extract_batch(&mut self, last: bool) {
        let ready: Vec<LayerPath> = self
            .pending
            .iter()
            .filter(|(_, pending)| last || pending.extractor.companions.is_empty())
            .map(|(path, _)| path.clone())
            .collect();
        let batch: Vec<(LayerPath, Pending)> =
            ready.into_iter().filter_map(|path| self.pending.remove_entry(&path)).collect();
        let (extractors, companions) = (self.extractors, &self.companions);
        let facts: Vec<Facts> =
            batch.par_iter().map(|(path, pending)| extract(extractors, path, pending, companions)).collect();
        for ((path, pending), facts) in batch.into_iter().zip(facts) {
            self.pending_bytes -= pending.content.len() as u64;
            self.keep(path, pending.extractor.name, facts);
        }
    }

    /// Everything that was found, and the gaps that belong to no file.
    pub(super) fn finish(mut self) -> (Vec<Evidence>, BTreeSet<Gap>) {
        self.extract_batch(true);
        let with_companions = |name: &str| EXTRACTORS.iter().any(|e| e.name == name && !e.companions.is_empty());
        let mains: HashSet<(Vec<u8>, &str)> = self
            .found
            .iter()
            .filter(|(_, found)| with_companions(found.extractor))
            .map(|(path, found)| (path.parent().to_vec(), found.extractor))
            .collect();
        for (path, content) in std::mem::take(&mut self.companions) {
            let (directory, name) = directory_and_name(&path);
            let Some(main) = EXTRACTORS.iter().find(|e| e.companions.iter().any(|c| c.as_bytes() == name)) else {
                continue;
            };
            let mut facts = Facts::default();
            // A write-ahead log holds what its database lacks; any other companion only adds to what its file says.
            let is_log = name.ends_with(b"-wal");
            if is_log && !content.is_empty() && !mains.contains(&(directory.to_vec(), main.name)) {
                let reason = "a database log without its database in this layer".into();
                facts.gaps.push(Gap { kind: GapKind::UnresolvedLink, path: path.clone(), reason });
            }
            self.found(path, main.name, facts);
        }
        let evidence = self.found.into_iter().map(|(path, found)| Evidence {
            path,
            extractor: found.extractor.into(),
            facts: found.facts,
        });
        (evidence.collect(), self.gaps)
    }
}

fn extract(
    extractors: &[&Extractor],
    path: &LayerPath,
    pending: &Pending,
    companions: &BTreeMap<LayerPath, Arc<Vec<u8>>>,
) -> Facts {
    let mut beside = Vec::new();
    for &name in pending.extractor.companions {
        let mut companion = LayerPath::from_entry(path.parent());
        companion.push(name.as_bytes());
        if let Some(content) = companions.get(&companion) {
            beside.push((name, content.as_slice()));
        }
    }
    yielded(extractors, pending.extractor, &ClaimedFile { path, content: &pending.content, companions: &beside })
}

/// What a claimed file yields; a gap if `claimant` is none of the `extractors`.
fn yielded(extractors: &[&Extractor], claimant: &Extractor, file: &ClaimedFile<'_>) -> Facts {
    if extractors.iter().any(|&extractor| std::ptr::eq(extractor, claimant)) {
        return (claimant.extract)(file);
    }
    let gap = file.gap(GapKind::Unread, format!("{}: recognised, but not read", claimant.name));
    Facts { gaps: vec![gap], ..Facts::default() }
}

/// `facts` of the file `from` as those of the same file called `to`.
pub(crate) fn moved(facts: &Facts, from: &LayerPath, to: &LayerPath) -> Facts {
    let mut facts = facts.clone();
    for gap in &mut facts.gaps {
        if gap.path == *from {
            gap.path = to.clone();
        }
    }
    if let Some(owner) = &mut facts.owner {
        *owner = list_owner(to);
    }
    facts
}
