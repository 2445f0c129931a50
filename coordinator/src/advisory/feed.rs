//! Feeds: the formats in which sources publish advisories, and where they are published.

pub mod osv;

use crate::advisory::record::Advisory;

/// One format of advisories.
#[derive(Debug)]
pub struct Feed {
    /// Its name.
    pub name: &'static str,
    /// Where it is published: below it `ECOSYSTEM/all.zip` and `ecosystems.txt`.
    pub base: &'static str,
    /// Reads one record.
    pub parse: fn(&[u8]) -> Result<Parsed<'_>, FeedError>,
}

/// Every feed there is.
pub const FEEDS: &[Feed] = &[osv::FEED];

/// Reads a record of whichever feed knows its shape.
///
/// # Errors
/// The [`FeedError`] of the last feed that was asked.
pub fn parse(record: &[u8]) -> Result<Parsed<'_>, FeedError> {
    let mut refusal = FeedError::NoId;
    for feed in FEEDS {
        match (feed.parse)(record) {
            Ok(parsed) => return Ok(parsed),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// One record, read.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// What it says.
    pub advisory: Advisory<'a>,
    /// How many `GIT` ranges were left out: they name commits, which no package database does.
    pub git_ranges: usize,
}

/// Why a record cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Not JSON, or not in the shape of the schema.
    #[error("not an OSV record: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A record must have a name.
    #[error("the record has no id")]
    NoId,
}
