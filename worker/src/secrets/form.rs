//! The words of a rule: read by the build out of the files, and at run time out of the table that it made of them.

use serde::Deserialize;

/// What a value has to satisfy beside its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    /// The last six characters are the base-62 CRC-32 of what stands between the last `_` and them.
    Crc32Base62,
    /// Behind the prefix of four is base 32 that holds an account number of twelve digits.
    AwsAccessKeyId,
    /// Three parts of base64url; the first two are JSON objects, the first with `alg`.
    Jwt,
    /// It is base64 or base64url.
    Base64,
    /// Up to the first `.` it is base64 of a JSON object.
    Base64Json,
    /// Its digits satisfy ISO/IEC 7812-1.
    Luhn,
    /// It has a letter and a digit.
    Mixed,
    /// It has something else than hexadecimal digits.
    NotHex,
    /// It is a UUID that is not nil.
    Uuid,
    /// It is base64 of `user:password`.
    UserPassword,
    /// Inside the lines of PEM is a private key that anybody can use.
    PrivateKey,
    /// Inside the lines of PEM is a private key that takes a passphrase.
    EncryptedPrivateKey,
    /// It is base64 of a private key in PEM that anybody can use.
    Base64PrivateKey,
    /// Inside the armour is a packet with a secret key of OpenPGP.
    PgpPrivateKey,
}

/// The most bytes that a match may have: what is kept of a file behind what was looked at.
pub(crate) const MAX_REACH: usize = 8 << 10;
