//! The compiled advisories: one immutable file, mapped into memory, decoded only where a question hits.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::codec::{Damaged, Reader};
use super::layout::{self, HeaderError, SECTIONS};
use super::record::{Advisory, Affected};
use super::{index, map, name};

/// An open snapshot. Cheap to open and to ask; any number of threads and processes may share one file.
#[derive(Debug)]
pub struct Snapshot {
    file: Mmap,
    sections: [Range<usize>; SECTIONS],
    ecosystems: Vec<EcosystemInfo>,
    digest: [u8; 32],
}

/// What a snapshot holds of one ecosystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcosystemInfo {
    /// OSV's name with the release suffix: `Debian:12`.
    pub name: String,
    /// Advisories that name a package of it, withdrawn ones not counted.
    pub advisories: u64,
    /// Withdrawn ones, which take no part in matching.
    pub withdrawn: u64,
    /// The BLAKE3 of the records that it was made from.
    pub digest: [u8; 32],
}

/// What one advisory says about the package that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit<'a> {
    /// The advisory; its `affected` is empty.
    pub advisory: Advisory<'a>,
    /// The entry for this package; its ecosystem and name are empty.
    pub affected: Affected<'a>,
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be opened or mapped.
    #[error("cannot open the advisory snapshot {path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Some other file.
    #[error("{0} is no advisory snapshot (hint: `lazaret advisories import` makes one)")]
    NotASnapshot(PathBuf),
    /// Made by a lazaret that wrote another layout.
    #[error("{path} has layout {version}, this lazaret reads {supported}: run `lazaret advisories update`", supported = layout::VERSION)]
    Version {
        /// Which.
        path: PathBuf,
        /// Its layout.
        version: u32,
    },
    /// Its content is not what its name or its layout promise.
    #[error("the advisory snapshot is damaged: remove it and run `lazaret advisories update`")]
    Damaged,
}

impl From<Damaged> for SnapshotError {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

impl Snapshot {
    /// Opens the snapshot at `path`, looking at its header and its table of ecosystems alone.
    ///
    /// The digest is taken from the header of the file, where it stands since the file was built; [`Snapshot::verify`]
    /// computes it, which is what installing one does.
    ///
    /// # Errors
    /// [`SnapshotError`]: unreadable, another file, another layout, or damaged.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let file = map::map(path).map_err(|error| SnapshotError::Io { path: path.to_owned(), error })?;
        let (digest, sections) = layout::sections(&file).map_err(|error| match error {
            HeaderError::Magic => SnapshotError::NotASnapshot(path.to_owned()),
            HeaderError::Version(version) => SnapshotError::Version { path: path.to_owned(), version },
            HeaderError::Damaged => SnapshotError::Damaged,
        })?;
        let mut table = Reader::new(file.get(sections[layout::ECOSYSTEMS].clone()).ok_or(Damaged)?);
        let ecosystems = table.list(|table| {
            Ok(EcosystemInfo {
                name: table.text()?.to_owned(),
                advisories: table.number()?,
                withdrawn: table.number()?,
                digest: table.bytes(32)?.try_into().map_err(|_| Damaged)?,
            })
        })?;
        Ok(Self { file, sections, ecosystems, digest })
    }

    /// The BLAKE3 of everything behind the header's first fields: the name of this snapshot.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Reads the whole file and compares it with its digest.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`] where they differ.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        let content = self.file.get(layout::DIGEST_END..).ok_or(Damaged)?;
        if blake3::Hasher::new().update_rayon(content).finalize() == self.digest {
            Ok(())
        } else {
            Err(SnapshotError::Damaged)
        }
    }

    /// Every ecosystem that an advisory names, sorted by name.
    pub fn ecosystems(&self) -> &[EcosystemInfo] {
        &self.ecosystems
    }

    /// Whether there is an advisory for `ecosystem`, written with its release suffix.
    pub fn has_ecosystem(&self, ecosystem: &str) -> bool {
        self.ecosystems
            .binary_search_by(|info| info.name.as_str().cmp(ecosystem))
            .is_ok_and(|place| self.ecosystems.get(place).is_some_and(|info| info.advisories > 0))
    }

    /// Everything that advisories say about package `name` of `ecosystem`, sorted by advisory.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`].
    pub fn lookup(&self, ecosystem: &str, name: &str) -> Result<Vec<Hit<'_>>, SnapshotError> {
        let name = name::normalise(ecosystem, name);
        for offset in index::candidates(self.section(layout::INDEX), index::hash(ecosystem, &name))? {
            let mut block = Reader::at(self.section(layout::PACKAGES), offset)?;
            if block.text()? == ecosystem && block.text()? == name {
                return Ok(block.list(|block| {
                    let mut head = Reader::at(self.section(layout::ADVISORIES), block.number()?)?;
                    Ok(Hit { affected: layout::affected(block)?, advisory: layout::head(&mut head)? })
                })?);
            }
        }
        Ok(Vec::new())
    }

    /// The advisories that have a CVSS vector and are, or are another name of, or have as their single upstream CVE, `id`.
    ///
    /// # Errors
    /// [`SnapshotError::Damaged`].
    pub fn lenders(&self, id: &str) -> Result<Vec<Advisory<'_>>, SnapshotError> {
        for offset in index::candidates(self.section(layout::LENDER_INDEX), index::hash("", id))? {
            let mut block = Reader::at(self.section(layout::LENDERS), offset)?;
            if block.text()? == id {
                return Ok(block.list(|block| {
                    layout::head(&mut Reader::at(self.section(layout::ADVISORIES), block.number()?)?)
                })?);
            }
        }
        Ok(Vec::new())
    }

    fn section(&self, section: usize) -> &[u8] {
        self.sections.get(section).and_then(|range| self.file.get(range.clone())).unwrap_or_default()
    }
}
