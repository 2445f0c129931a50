//! Values that look like secrets and are known to be none: placeholders, and what vendors and libraries publish for examples.

use super::check::decode_user_password;
use super::form::Check;
use super::identity::digest;

/// Why `value` is no secret to worry about, if it is known to be none. Of what has no form of its own (`loose`), such as a
/// password, words count too.
pub(super) fn reason(value: &[u8], loose: bool, check: Option<Check>) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    if WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some()) {
        return Some("a placeholder: it says so itself");
    }
    // Base64 of zeros is a run too, so a run counts by its share.
    if longest_run(&lower) >= (lower.len() / 3).max(6) || distinct(&lower) <= 3 && lower.len() >= 8 {
        return Some("a placeholder: the same characters over and over");
    }
    if has_sequence(&lower) {
        return Some("a placeholder: letters or digits in their order");
    }
    if loose && VARIABLES.iter().any(|opening| value.starts_with(opening)) {
        return Some("a placeholder: a variable");
    }
    if loose && value.starts_with(b"/") {
        return Some("a path");
    }
    let password = decode_user_password(value).filter(|(user, password)| user.is_ascii() && password.is_ascii());
    if loose && (is_word(&lower) || password.is_some_and(|(_, password)| is_word(&password.to_ascii_lowercase()))) {
        return Some("a placeholder: a word that stands for a password");
    }
    published(value, check)
}

/// What a placeholder of any kind has in it.
const WORDS: [&[u8]; 13] = [
    b"example",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"replaceme",
    b"replace_me",
    b"your_",
    b"your-",
    b"yourstrong",
    b"yourtoken",
    b"redacted",
    b"insert_",
];

/// How variables and templates begin.
const VARIABLES: [&[u8]; 9] = [b"$", b"{{", b"{%", b"<", b"%(", b"%{", b"#{", b"@@", b"process.env"];

/// What people write where a password belongs.
const PASSWORDS: [&[u8]; 35] = [
    b"admin",
    b"adminsecret",
    b"administrator",
    b"bar",
    b"baz",
    b"change",
    b"default",
    b"dev",
    b"false",
    b"foo",
    b"foobar",
    b"guest",
    b"letmein",
    b"mypass",
    b"mypassword",
    b"mysecret",
    b"none",
    b"null",
    b"pass",
    b"passwd",
    b"password",
    b"postgres",
    b"pw",
    b"qwerty",
    b"root",
    b"secret",
    b"secretpassword",
    b"string",
    b"test",
    b"testing",
    b"testpassword",
    b"token",
    b"true",
    b"user",
    b"xxx",
];

/// Whether nothing but such a word is left without digits and punctuation around it, and with the digits that stand for letters
/// read as these.
fn is_word(lower: &[u8]) -> bool {
    let is_letter = |b: &u8| b.is_ascii_lowercase();
    let (Some(first), Some(last)) = (lower.iter().position(is_letter), lower.iter().rposition(is_letter)) else {
        return true;
    };
    let read: Vec<u8> = lower.get(first..=last).unwrap_or_default().iter().filter_map(|&b| letter(b)).collect();
    PASSWORDS.contains(&read.as_slice())
}

fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'0' => Some(b'o'),
        b'1' => Some(b'l'),
        b'3' => Some(b'e'),
        b'4' | b'@' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'a'..=b'z' => Some(byte),
        _ => None,
    }
}

/// The length of the longest run of one byte.
fn longest_run(value: &[u8]) -> usize {
    value.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0)
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    seen.iter().filter(|&&seen| seen).count()
}

/// Whether eight digits or letters follow each other in their order: by chance that is one in 10^12.
fn has_sequence(value: &[u8]) -> bool {
    let next = |a: &u8, b: &u8| a.is_ascii_alphanumeric() && (*b == a + 1 || *a == b'9' && matches!(b, b'0' | b'a'));
    value.chunk_by(next).any(|run| run.len() >= 8)
}

/// Whether somebody published the value, so that everybody has it: `published.txt` has its SHA-256.
fn published(value: &[u8], check: Option<Check>) -> Option<&'static str> {
    let digest = lazaret::digest::hex(&digest(check, value));
    let lines = include_str!("published.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).find_map(|(of, reason)| (of == digest).then_some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_and_values_are_not() {
        let placeholders = [
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_xxxxxxxxxxxxxxxxxxxx",
            "sk_live_0123456789abcdef",
            "your_api_key",
            "ababababab",
        ];
        for value in placeholders {
            assert!(reason(value.as_bytes(), false, None).is_some(), "{value}");
        }
        for value in ["${DB_PASSWORD}", "Passw0rd123!", "changeme1", "12345-6", "<password>", "S3cret", "testing_1"] {
            assert!(reason(value.as_bytes(), true, None).is_some(), "{value}");
        }
        for value in ["tR8#kLm2!vXq9Z", "Kx9vQm27TfWzLp", "aa11bb22cc33", "s3cret-password-of-tom"] {
            assert_eq!(reason(value.as_bytes(), true, None), None, "{value}");
        }
    }

    #[test]
    fn the_list_is_well_formed() {
        for line in include_str!("published.txt").lines().filter(|line| !line.starts_with('#')) {
            let (digest, reason) = line.split_once(' ').expect("a digest and a reason");
            assert!(
                digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) && !reason.is_empty(),
                "{line}"
            );
        }
    }
}
