//! What a value has to satisfy beside its rule's pattern: checksums, structure, entropy.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::form::Check;
use super::private_key::{self, Protection};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Whether `value` satisfies `check`.
pub(super) fn holds(check: Check, value: &[u8]) -> bool {
    match check {
        Check::Crc32Base62 => crc32_base62(value),
        Check::AwsAccessKeyId => aws_account(value).is_some(),
        Check::Jwt => jwt(value),
        Check::Base64 => decode(value).is_some(),
        Check::Base64Json => json_object(value.split(|&b| b == b'.').next().unwrap_or_default()).is_some(),
        Check::Luhn => luhn(value),
        Check::Mixed => value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic),
        Check::NotHex => !value.iter().all(u8::is_ascii_hexdigit),
        Check::Uuid => uuid(value),
        Check::UserPassword => user_password(value),
        Check::PrivateKey => private_key::read(value) == Some(Protection::None),
        Check::EncryptedPrivateKey => private_key::read(value) == Some(Protection::Passphrase),
        Check::Base64PrivateKey => private_key::in_base64(value),
        Check::PgpPrivateKey => private_key::is_pgp(value),
    }
}

/// Bits of Shannon entropy for each byte of `value`.
pub(super) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f32;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| count as f32 / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Base64 of either alphabet, padded or not.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let is_url_safe = value.iter().any(|b| matches!(b, b'-' | b'_'));
    if is_url_safe { URL_SAFE.decode(value) } else { STANDARD.decode(value) }.ok()
}

/// GitHub, "Behind GitHub's new authentication token formats" (2021): the last 6 of the characters are a CRC-32 of the 30
/// before them, in base 62 with leading zeros. npm took the format over.
fn crc32_base62(value: &[u8]) -> bool {
    let body = value.rsplit(|&b| b == b'_').next().unwrap_or_default();
    let Some((random, sum)) = body.len().checked_sub(6).and_then(|at| body.split_at_checked(at)) else { return false };
    let mut rest = crc32fast::hash(random);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    sum.iter().rev().all(|&digit| {
        let expected = digits[(rest % 62) as usize];
        rest /= 62;
        digit == expected
    })
}

/// The account that an access key id of AWS belongs to: 40 bits behind the first bit of the base32 after the prefix. Ids from
/// before 2019, which begin with `I` or `J`, do not hold it.
fn aws_account(value: &[u8]) -> Option<u64> {
    let encoded = value.get(4..)?;
    if encoded.len() < 10 {
        return None;
    }
    let bits = encoded.iter().take(10).try_fold(0_u64, |bits, &byte| {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u64::from(digit))
    })?;
    // 50 bits, of which the first 48 are the bytes that were encoded.
    let account = (bits >> 2 & 0x7fff_ffff_ff80) >> 7;
    let is_old = matches!(encoded.first(), Some(b'I' | b'J'));
    (is_old || account <= 999_999_999_999).then_some(account)
}

fn jwt(value: &[u8]) -> bool {
    let mut parts = value.split(|&b| b == b'.');
    let header = parts.next().and_then(json_object);
    let payload = parts.next().and_then(json_object);
    header.is_some_and(|header| header.contains_key("alg")) && payload.is_some()
}

fn json_object(encoded: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_slice(&decode(encoded)?).ok()
}

fn luhn(value: &[u8]) -> bool {
    let digits = value.iter().rev().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0'));
    let sum: u32 = digits.zip((1..=2).cycle()).map(|(digit, factor)| digit * factor).map(|n| n / 10 + n % 10).sum();
    sum.is_multiple_of(10)
}

fn uuid(value: &[u8]) -> bool {
    let hyphens = [8, 13, 18, 23];
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(at, &b)| if hyphens.contains(&at) { b == b'-' } else { b.is_ascii_hexdigit() })
        && value.iter().any(|&b| b != b'0' && b != b'-')
}

fn user_password(value: &[u8]) -> bool {
    decode_user_password(value).is_some_and(|(user, password)| {
        let printable = user.iter().chain(&password).all(|b| !b.is_ascii_control());
        printable && !user.is_empty() && password.len() > 3
    })
}

/// The two sides of the first colon in what is base64.
pub(super) fn decode_user_password(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut user = decode(value)?;
    let password = user.split_off(user.iter().position(|&b| b == b':')?);
    Some((user, password.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_tell_right_from_wrong() {
        for (check, right, wrong) in [
            (Check::AwsAccessKeyId, "AKIAYAAAAAAAAAAAAAAA", "AKIA1AAAAAAAAAAAAAAA"),
            (Check::AwsAccessKeyId, "AKIAI44QH8DHBEXAMPLE".replace("8", "2").as_str(), "AKIA7777777777777777"),
            (Check::Base64, "QUJD", "QUJ*"),
            (Check::Base64, "QUI", "Q"),
            (Check::Base64Json, "eyJhIjoxfQ==.tail", "QUJD.tail"),
            (Check::Luhn, "4111111111111111", "4111111111111112"),
            (Check::Mixed, "a1", "aa"),
            (Check::NotHex, "abcdefg", "abcdef"),
            (Check::Uuid, "0f8fad5b-d9cb-469f-a165-70867728950e", "00000000-0000-0000-0000-000000000000"),
            (Check::UserPassword, "dXNlcjpwYXNzd29yZA==", "dXNlcg=="),
        ] {
            assert!(holds(check, right.as_bytes()), "{check:?} {right}");
            assert!(!holds(check, wrong.as_bytes()), "{check:?} {wrong}");
        }
    }

    #[test]
    fn entropy_is_that_of_shannon() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
    }

    #[test]
    fn nothing_panics_on_anything() {
        for length in 0..40 {
            for byte in [0, b'.', b'_', b'=', b'A', 0xff] {
                let value = vec![byte; length];
                for check in [Check::Crc32Base62, Check::AwsAccessKeyId, Check::Jwt, Check::Base64, Check::Base64Json] {
                    holds(check, &value);
                }
                for check in [Check::Luhn, Check::Mixed, Check::NotHex, Check::Uuid, Check::UserPassword] {
                    holds(check, &value);
                }
                entropy(&value);
            }
        }
    }
}
