//! What makes two secrets the same.

use sha2::{Digest as _, Sha256};

use super::form::Check;
use super::private_key;

/// Whether a value is the inside of a key's lines, whose beginning and end are those of any other.
pub(super) fn is_key(check: Option<Check>) -> bool {
    matches!(check, Some(Check::PrivateKey | Check::EncryptedPrivateKey | Check::PgpPrivateKey))
}

/// The SHA-256 of a value; of a key in PEM that of the key, however its lines are written.
pub(super) fn digest(check: Option<Check>, value: &[u8]) -> [u8; 32] {
    let inside = is_key(check).then(|| private_key::inside(value)).flatten();
    Sha256::digest(inside.as_deref().unwrap_or(value)).into()
}
