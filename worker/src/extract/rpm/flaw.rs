//! What can be wrong with an rpm database, in words for the person who reads the gap.

use lazaret::inventory::GapKind;

/// One thing that could not be read. The rest of the database still is, unless the whole is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Flaw {
    #[error("the rpm database is empty")]
    Empty,
    #[error("the rpm database is no {0} file")]
    Magic(&'static str),
    #[error("{format} version {version} of the rpm database is not supported")]
    Version { format: &'static str, version: u32 },
    #[error("{0} in the rpm database is not supported")]
    Unsupported(&'static str),
    #[error("the rpm database has an impossible page size, {0}")]
    PageSize(u32),
    #[error("the rpm database is cut short: {has} of {wants} bytes are there")]
    CutShort { has: u64, wants: u64 },
    #[error("the rpm database has no Packages table")]
    NoTable,
    #[error("page {0} of the rpm database is missing")]
    PageMissing(u32),
    #[error("page {0} of the rpm database is used twice")]
    PageTwice(u32),
    #[error("page {0} of the rpm database is malformed")]
    Page(u32),
    #[error("a record on page {page} of the rpm database is malformed")]
    Record { page: u32 },
    #[error("records of the rpm database overlap")]
    Overlap,
    #[error("the write-ahead log of the rpm database is malformed; what only it holds is missing")]
    Log,
    #[error(
        "frame {0} of the write-ahead log of the rpm database is damaged; what it and later ones changed is missing"
    )]
    Frame(u64),
    #[error("slot {0} of the rpm database is malformed")]
    Slot(u64),
    #[error("package {0} of the rpm database is damaged")]
    Blob(u32),
    #[error("the checksum of package {0} of the rpm database is wrong; what is told of it may be too")]
    Checksum(u32),
    #[error("an rpm header is cut short")]
    HeaderLength,
    #[error("an rpm header of {entries} entries and {bytes} bytes is beyond what rpm itself allows")]
    HeaderSize { entries: u32, bytes: u32 },
    #[error("an rpm header has no readable {0}")]
    Tag(&'static str),
    #[error("the file lists of the rpm database are out of proportion to it; later files have no owner")]
    FileLists,
}

impl Flaw {
    /// What it says where the database is another's in the same format.
    pub(in super::super) fn said_of(&self, database: &str) -> String {
        self.to_string().replace("rpm database", database).replace("Packages table", "table of its packages")
    }

    /// The kind of gap that it leaves.
    pub(in super::super) fn kind(&self) -> GapKind {
        match self {
            Self::Version { .. } | Self::Unsupported(_) => GapKind::Unsupported,
            Self::HeaderSize { .. } | Self::FileLists => GapKind::Limit,
            _ => GapKind::Malformed,
        }
    }
}
