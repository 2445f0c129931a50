//! Limits on what one layer may cost. They are part of an inventory's fingerprint, and each breach is a gap in it.

use bincode::{Decode, Encode};

/// Bounds that depend on the layer's bytes alone; time and memory of the process are bounded by whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Limits {
    /// Bytes of the blob.
    pub compressed_bytes: u64,
    /// Bytes of the uncompressed tar.
    pub uncompressed_bytes: u64,
    /// Uncompressed bytes for each compressed one, once `ratio_from` bytes are out.
    pub ratio: u64,
    /// Uncompressed bytes that may have any ratio: about a second of CPU time. A layer of small files that repeat each
    /// other passes 200 to 1, and a runtime takes it.
    pub ratio_from: u64,
    /// Entries of the tar.
    pub entries: u64,
    /// Symbolic links and other paths remembered because they may hide what lies below.
    pub hides: usize,
    /// Bytes of all of these, and of directories without an entry of their own.
    pub hides_bytes: usize,
    /// Bytes of paths that are looked up because names lead through symbolic links: a few seconds of CPU time. One name
    /// may lead through 40 links of 2,000 components each, and every entry may have such a name.
    pub link_work: u64,
    /// Claimed files.
    pub evidence: usize,
    /// Bytes of what they yield, in memory.
    pub facts_bytes: usize,
    /// Bytes of exposures, in memory.
    pub exposure_bytes: usize,
    /// Bytes of claimed files in memory at one time.
    pub pending_bytes: u64,
}

impl Limits {
    /// The longest path, as Linux has it.
    pub const PATH_BYTES: usize = 4096;

    /// The limits as text, for the fingerprint.
    pub fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed_bytes: 2 << 30,
            uncompressed_bytes: 20 << 30,
            ratio: 200,
            ratio_from: 256 << 20,
            entries: 2_000_000,
            hides: 200_000,
            hides_bytes: 64 << 20,
            link_work: 8 << 30,
            evidence: 300_000,
            facts_bytes: 128 << 20,
            exposure_bytes: 16 << 20,
            pending_bytes: 256 << 20,
        }
    }
}
