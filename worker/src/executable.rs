//! Executables: what an ELF file says about its contents, read while it streams past and only as far as its headers ask.

mod auditable;
mod buildinfo;
mod bundle;
mod header;
mod kept;
mod note;
pub(crate) mod pe;
mod plan;
mod search;
mod sections;
mod upx;

use lazaret::ecosystem::Ecosystem;
use lazaret::inventory::{Facts, Gap, GapKind, Recognised};
use lazaret::path::LayerPath;
use memchr::memmem;

use self::buildinfo::BuildInfo;
use self::bundle::Bundle;
use self::header::{Header, Segment};
use self::kept::Kept;
use self::search::Search;
pub(crate) use self::sections::section_of;
use self::sections::{Flaw, Sections};
use self::upx::UpxError;

/// The name under which evidence and fingerprint know this reader, as they do an [`crate::extract::Extractor`].
pub const NAME: &str = "executable";

/// Raised with every change of what it yields.
pub const VERSION: u32 = 4;

/// The packages it finds, and in which form, as an [`crate::extract::Extractor`] says it.
pub const FORMS: &[(Ecosystem, &str)] = &[
    (Ecosystem::Cargo, "programs built with cargo-auditable"),
    (Ecosystem::Golang, "programs with build information, stripped or packed by UPX too; `stdlib` by the toolchain"),
    (Ecosystem::NuGet, "assemblies that no manifest accounts for"),
    (Ecosystem::NuGet, "single-file applications"),
    (Ecosystem::Apk, NOTES),
    (Ecosystem::Deb, NOTES),
    (Ecosystem::Rpm, NOTES),
    (Ecosystem::Alpm, NOTES),
];
const NOTES: &str = "package notes of executables";

/// Whether a file that starts so may be an executable.
pub fn is_elf(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"\x7fELF")
}

/// Reads one ELF file after the other, each from a stream of chunks, in bounded memory (at most 80 MiB, of which a
/// distribution's programs touch a tenth; 100 MiB more for a program that UPX has packed). Call [`Self::begin`], [`Self::feed`] for each chunk, [`Self::finish`].
///
/// What it looks for lies in read-only data, behind all segments, or somewhere in the writable data (Go's build
/// information), which is searched as it passes. Code, most of a program, just passes by.
pub struct ElfCapture {
    head: Vec<u8>,
    stage: Stage,
    segments: Vec<Segment>,
    /// The parts that hold notes.
    notes: Vec<Segment>,
    kept: Kept,
    /// Of the writable data: its start, and what follows the marks of Go's build information.
    data: Kept,
    search: Search,
    marks: Vec<u64>,
    /// Where the program ends, once that is known.
    end: u64,
    /// What is behind it, if that is a bundle of .NET's.
    bundle: Option<Bundle>,
    /// A packed file, whole; empty but while one passes.
    packed: Vec<u8>,
    /// Bytes that may yet be unpacked, of all files together: a small one may hold much.
    unpacked_left: u64,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    /// Not enough bytes yet to know what to keep.
    #[default]
    Head,
    Keeping(Header),
    /// Packed by UPX: wanted whole.
    Packed,
    /// Neither a program nor a shared object.
    Ignoring,
}

/// First bytes of a file that decide what of the rest is kept: room for 72 program headers, where linkers write about 12.
const HEAD_BYTES: usize = 4096;

/// Marks of Go's build information that are believed: a program that reads it holds another one or two.
const MAX_MARKS: usize = 4;

/// Bytes that are kept behind a mark: a list of modules, and what stands before it.
const MARKED_BYTES: u64 = buildinfo::MAX_MODULES + 1024;

/// Bytes that are unpacked of all files that one capture reads: some ten seconds of CPU time.
const MAX_UNPACKED: u64 = 4 << 30;

/// Sections that only Go's linkers write; a program with `.go.buildinfo` stripped away still has one of the others.
const GO_SECTIONS: [&[u8]; 3] = [b".go.buildinfo", b".gopclntab", b".note.go.buildid"];

impl Default for ElfCapture {
    fn default() -> Self {
        Self {
            head: Vec::new(),
            stage: Stage::default(),
            segments: Vec::new(),
            notes: Vec::new(),
            kept: Kept::default(),
            data: Kept::default(),
            search: Search::new(buildinfo::MAGIC, 16),
            marks: Vec::new(),
            end: 0,
            bundle: None,
            packed: Vec::new(),
            unpacked_left: MAX_UNPACKED,
        }
    }
}

impl ElfCapture {
    /// Starts a file, forgetting the one before. The buffers stay.
    pub fn begin(&mut self) {
        self.head.clear();
        self.packed = Vec::new();
        self.bundle = None;
        self.stage = Stage::Head;
    }

    /// Takes the next bytes of the file, from its first on.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        if matches!(self.stage, Stage::Head) {
            let (head, rest) = chunk.split_at(chunk.len().min(HEAD_BYTES - self.head.len()));
            self.head.extend_from_slice(head);
            if self.head.len() < HEAD_BYTES {
                return;
            }
            self.decide();
            chunk = rest;
        }
        match self.stage {
            Stage::Keeping(_) => self.keep(chunk),
            Stage::Packed if self.packed.len() <= upx::MAX_FILE => self.packed.extend_from_slice(chunk),
            _ => {}
        }
    }

    /// Whether the file is a program or a shared object, and no object file or core dump; known once it has ended.
    pub fn is_program(&self) -> bool {
        Header::parse(&self.head).is_some_and(|header| matches!(header.kind, Header::EXECUTABLE | Header::SHARED))
    }

    /// Ends the file: the Go modules and the crates that it lists, or what it was recognised as, or nothing; and the OS
    /// package that it says it is from. A gap where its sections cannot be told, or where it has a list that cannot be read.
    pub fn finish(&mut self, path: &LayerPath) -> Facts {
        if matches!(self.stage, Stage::Head) {
            self.decide();
        }
        if matches!(self.stage, Stage::Packed) {
            return self.unpack(path);
        }
        let Stage::Keeping(header) = std::mem::replace(&mut self.stage, Stage::Ignoring) else {
            return Facts::default();
        };
        if let Some(bundle) = self.bundle.take() {
            // What runs an application of .NET is nobody's but .NET's, and a bundle pushes its sections out of the window.
            return bundle.finish(path);
        }
        self.kept.seal();
        let mut facts = Facts::default();
        let flaws = self.read(&header, &mut facts);
        facts.gaps = flaws.into_iter().map(|(kind, reason)| Gap { kind, path: path.clone(), reason }).collect();
        facts.gaps.sort_unstable();
        facts.packages.sort_unstable();
        facts.packages.dedup();
        facts
    }

    /// What the packed file was before.
    fn unpack(&mut self, path: &LayerPath) -> Facts {
        let file = std::mem::take(&mut self.packed);
        let mut budget = self.unpacked_left;
        self.begin();
        let unpacked = match file.len() {
            0..=upx::MAX_FILE => upx::unpack(&file, &mut budget, |bytes| self.feed(bytes)),
            _ => Err(UpxError::TooLarge),
        };
        self.unpacked_left = budget;
        if matches!(self.stage, Stage::Head) {
            self.decide();
        }
        let error = match unpacked {
            Ok(()) if matches!(self.stage, Stage::Packed) => UpxError::Method,
            Ok(()) => return self.finish(path),
            Err(error) => error,
        };
        self.begin();
        let kind = match error {
            UpxError::Damaged => GapKind::Malformed,
            UpxError::Method => GapKind::Unsupported,
            UpxError::TooLarge => GapKind::Limit,
        };
        let reason = format!("packed by UPX, {error}: what is in it cannot be read");
        Facts { gaps: vec![Gap { kind, path: path.clone(), reason }], ..Facts::default() }
    }

    fn decide(&mut self) {
        let header = Header::parse(&self.head);
        let header = header.filter(|header| matches!(header.kind, Header::EXECUTABLE | Header::SHARED));
        let Some(header) = header else {
            self.stage = Stage::Ignoring;
            return;
        };
        if upx::is_packed(&header, &self.head) {
            self.packed.extend_from_slice(&self.head);
            self.stage = Stage::Packed;
            return;
        }
        self.segments.clear();
        self.segments.extend(header.segments(&self.head).filter(|segment| segment.loaded));
        self.notes.clear();
        self.notes.extend(header.segments(&self.head).filter(|segment| segment.notes).take(note::MAX_SEGMENTS));
        plan::constants(&mut self.kept, &header, &self.head, &self.segments, &self.notes);
        plan::data(&mut self.data, &self.segments, MAX_MARKS * MARKED_BYTES as usize);
        self.search.start(self.segments.iter().filter(|segment| segment.writable).copied());
        self.marks.clear();
        self.end = plan::end(&header, &self.segments);
        let head = std::mem::take(&mut self.head);
        self.keep(&head);
        self.head = head;
        self.stage = Stage::Keeping(header);
    }

    fn keep(&mut self, chunk: &[u8]) {
        for mark in self.search.feed(chunk) {
            if self.marks.len() < MAX_MARKS {
                let start = mark.saturating_add(buildinfo::MAGIC.len() as u64);
                self.data.also(start..start.saturating_add(MARKED_BYTES));
                self.marks.push(mark);
            }
        }
        let position = self.kept.position();
        self.kept.feed(chunk);
        self.data.feed(chunk);
        let behind = usize::try_from(self.end.saturating_sub(position)).ok().and_then(|skipped| chunk.get(skipped..));
        if let Some(behind) = behind.filter(|behind| !behind.is_empty()) {
            if position <= self.end {
                // All of the program has passed, and the first bytes behind it do.
                self.bundle = Bundle::behind(self.end, &self.data);
            }
            if let Some(bundle) = &mut self.bundle {
                bundle.feed(behind);
            }
        }
    }

    /// Adds what the file tells to `facts`, and returns what is wrong with it.
    fn read(&self, header: &Header, facts: &mut Facts) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let sections = Sections::read(header, &self.kept).unwrap_or_else(|flaw| {
            flaws.push(flaw);
            None
        });
        let sections = sections.as_ref();
        if let Some(info) = self.build_info(sections) {
            let (packages, flaw) = info.packages();
            facts.packages.extend(packages);
            flaws.extend(flaw.map(|reason| (GapKind::Malformed, reason.to_owned())));
        } else if sections.map_or(!self.marks.is_empty(), |sections| sections.find(&GO_SECTIONS).is_some()) {
            facts.recognised = Some(Recognised::GoBinary);
        }
        let list = sections.and_then(|sections| Some((sections, sections.find(&[b".dep-v0"])?)));
        if let Some((sections, list)) = list {
            let crates = sections
                .contents(&list, "crate list")
                .and_then(|bytes| auditable::crates(bytes).map_err(|error| (GapKind::Malformed, error.to_string())));
            match crates {
                Ok(crates) => facts.packages.extend(crates),
                Err(flaw) => flaws.push(flaw),
            }
        } else if facts.recognised.is_none() && sections.is_some_and(is_rust) {
            facts.recognised = Some(Recognised::RustBinary);
        }
        match note::package(header, &self.kept, &self.notes) {
            Some(Ok(package)) => facts.packages.push(package),
            Some(Err(flaw)) => flaws.push(flaw),
            None => {}
        }
        flaws
    }

    /// Go's build information: where its section says, and if nobody says anything, behind the first mark that is none by
    /// chance.
    fn build_info(&self, sections: Option<&Sections<'_>>) -> Option<BuildInfo<'_>> {
        let section = sections.and_then(|sections| sections.find(&[b".go.buildinfo"]));
        let inside = |mark: &u64| {
            section.as_ref().is_some_and(|section| mark.checked_sub(section.start).is_some_and(|at| at < section.size))
        };
        let (named, others): (Vec<u64>, Vec<u64>) = self.marks.iter().partition(|mark| inside(mark));
        named.into_iter().chain(others).find_map(|mark| buildinfo::read(self, mark))
    }
}

impl buildinfo::Image for ElfCapture {
    fn bytes(&self, start: u64, size: u64) -> Option<&[u8]> {
        self.data.read(start, size).or_else(|| self.kept.read(start, size))
    }

    fn offset(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|segment| {
            let inside = address.checked_sub(segment.address)?;
            segment.start.checked_add(inside).filter(|&offset| offset < segment.end)
        })
    }
}

/// Whether rustc had a part in it: it signs each object in `.comment`, where linkers join what compilers wrote.
fn is_rust(sections: &Sections<'_>) -> bool {
    let comment = sections.find(&[b".comment"]).and_then(|section| sections.contents(&section, "comment").ok());
    comment.is_some_and(|comment| memmem::find(comment, b"rustc version ").is_some())
}

#[cfg(test)]
pub(crate) mod tests;
