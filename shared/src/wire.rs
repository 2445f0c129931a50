//! The envelope around everything binary that leaves the process: magic, version, length, checksum, compressed body.
//!
//! ```text
//! "LZRT" | kind: u8 | version: u16 LE | body length: u64 LE | BLAKE3 of key, header and body: 32 bytes | zstd(bincode)
//! ```
//! The checksum is bound to the key the value is kept under, so that a value moved to another key is refused.
//! bincode's native `Decode` is used, with a limit, never its serde bridge, which lets hostile bytes allocate without one.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

use crate::pack;

/// What an envelope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A [`crate::record::LayerRecord`].
    LayerRecord = 1,
    /// An image inventory of the coordinator.
    ImageInventory = 2,
}

impl Kind {
    /// The version of the form that this build writes; it reads no other, an older value is simply computed again.
    pub const fn version(self) -> u16 {
        match self {
            Self::LayerRecord => 4,
            Self::ImageInventory => 3,
        }
    }
}

/// Why an envelope could not be opened. Whatever the reason, the value counts as absent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WireError {
    /// Not an envelope of ours, or cut short.
    #[error("not a lazaret envelope")]
    Malformed,
    /// An envelope of another version or kind.
    #[error("another version of the envelope: {0}")]
    Version(u16),
    /// The checksum does not fit the key and the body.
    #[error("checksum mismatch")]
    Checksum,
    /// The body does not decode within the limits.
    #[error("malformed body: {0}")]
    Body(String),
}

const MAGIC: &[u8; 4] = b"LZRT";
const HEADER: usize = 4 + 1 + 2 + 8;
const MAX_DECODED: usize = 256 << 20;

fn config() -> Configuration<LittleEndian, Varint, Limit<MAX_DECODED>> {
    bincode::config::standard().with_limit::<MAX_DECODED>()
}

/// `value` sealed for `key`.
///
/// # Errors
/// [`WireError::Body`] if the value is larger than the 256 MiB that [`open`] would read back.
pub fn seal<T: Encode>(kind: Kind, key: &str, value: &T) -> Result<Vec<u8>, WireError> {
    let raw = bincode::encode_to_vec(value, bincode::config::standard()).map_err(|e| WireError::Body(e.to_string()))?;
    if raw.len() > MAX_DECODED {
        return Err(WireError::Body("too large".into()));
    }
    let body = pack::pack(&raw).map_err(|e| WireError::Body(e.to_string()))?;
    let mut sealed = Vec::with_capacity(HEADER + 32 + body.len());
    sealed.extend_from_slice(MAGIC);
    sealed.push(kind as u8);
    sealed.extend_from_slice(&kind.version().to_le_bytes());
    sealed.extend_from_slice(&(raw.len() as u64).to_le_bytes());
    let checksum = checksum(key, &sealed, &body);
    sealed.extend_from_slice(&checksum);
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// The value that was sealed for `key`.
///
/// # Errors
/// Any [`WireError`]: the bytes may come from anywhere.
pub fn open<T: Decode<()>>(kind: Kind, key: &str, sealed: &[u8]) -> Result<T, WireError> {
    let (header, rest) = sealed.split_at_checked(HEADER).ok_or(WireError::Malformed)?;
    let (stated, body) = rest.split_at_checked(32).ok_or(WireError::Malformed)?;
    if &header[..4] != MAGIC || header[4] != kind as u8 {
        return Err(WireError::Malformed);
    }
    let version = u16::from_le_bytes([header[5], header[6]]);
    if version != kind.version() {
        return Err(WireError::Version(version));
    }
    if checksum(key, header, body) != stated {
        return Err(WireError::Checksum);
    }
    let length = header[7..].try_into().map(u64::from_le_bytes).ok().and_then(|n| usize::try_from(n).ok());
    let length = length.filter(|&n| n <= MAX_DECODED).ok_or(WireError::Malformed)?;
    let raw = pack::unpack(body, length).map_err(|e| WireError::Body(e.to_string()))?;
    let (value, used) = bincode::decode_from_slice(&raw, config()).map_err(|e| WireError::Body(e.to_string()))?;
    if used != raw.len() {
        return Err(WireError::Body("trailing bytes".into()));
    }
    Ok(value)
}

fn checksum(key: &str, header: &[u8], body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("lazaret 2026 envelope");
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key.as_bytes());
    hasher.update(header);
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Gap, GapKind, LayerInventory};
    use crate::record::{Cost, LayerRecord};

    fn sample() -> LayerRecord {
        let gap = Gap { kind: GapKind::Limit, path: "a/b".into(), reason: "entries".into() };
        let inventory = LayerInventory { entries: 7, gaps: vec![gap], ..LayerInventory::default() };
        LayerRecord { inventory, cost: Cost { job: "j".into(), bytes: 1, requests: 2, cpu_micros: 3 } }
    }

    #[test]
    fn opens_what_it_sealed_and_only_under_its_key() {
        let sealed = seal(Kind::LayerRecord, "k", &sample()).unwrap();
        assert_eq!(open(Kind::LayerRecord, "k", &sealed), Ok(sample()));
        assert_eq!(open::<LayerRecord>(Kind::LayerRecord, "other", &sealed), Err(WireError::Checksum));
        assert_eq!(open::<LayerRecord>(Kind::ImageInventory, "k", &sealed), Err(WireError::Malformed));
    }

    #[test]
    fn refuses_every_changed_byte_and_every_cut() {
        let sealed = seal(Kind::LayerRecord, "k", &sample()).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x40;
            assert!(open::<LayerRecord>(Kind::LayerRecord, "k", &changed).is_err(), "byte {at}");
            assert!(open::<LayerRecord>(Kind::LayerRecord, "k", &sealed[..at]).is_err(), "cut {at}");
        }
    }
}
